// Command faults writes twenty events through each row's address and says how that went; see faults/table.ts.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"rayne/datacat"
)

type row struct {
	ID      int    `json:"id"`
	URL     string `json:"url"`
	Session string `json:"session"`
}

type job struct {
	Rows    []row   `json:"rows"`
	Items   int     `json:"items"`
	Seconds float64 `json:"seconds"`
}

func run(all job, one row) {
	client := datacat.NewClient(one.URL, datacat.WithTimeout(time.Second), datacat.WithRetries(0))
	writer := client.NewBatchWriter(one.Session, datacat.BatchOptions{FlushInterval: 100 * time.Millisecond})
	var longest time.Duration
	for number := 0; number < all.Items; number++ {
		started := time.Now()
		if err := writer.LogEvent(fmt.Sprintf("n%d", number), nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		if took := time.Since(started); took > longest {
			longest = took
		}
		time.Sleep(20 * time.Millisecond)
	}
	limit := time.Duration(all.Seconds * float64(time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	flushed := writer.Flush(ctx) == nil
	stats := writer.Stats()
	text, _ := json.Marshal(map[string]interface{}{
		"id": one.ID, "longest_ms": longest.Seconds() * 1000, "flushed": flushed, "stored": 0,
		"lost": stats.Rejected + stats.Dropped,
	})
	fmt.Println(string(text))
}

func main() {
	var all job
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		panic(err)
	}
	var waiting sync.WaitGroup
	for _, one := range all.Rows {
		waiting.Add(1)
		go func(one row) {
			defer waiting.Done()
			run(all, one)
		}(one)
	}
	waiting.Wait()
}
