// Command cases does with the Go client what programs do, one case a run, and says done.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"

	"rayne/datacat"
)

var ctx = context.Background()

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(seen, wanted interface{}) {
	if !reflect.DeepEqual(seen, wanted) {
		panic(fmt.Sprintf("%#v is not %#v", seen, wanted))
	}
}

func open() (*datacat.Client, string) {
	client := datacat.NewClient(os.Getenv("DATACAT_URL"))
	id, err := client.OpenSession(ctx, datacat.SessionOptions{})
	check(err)
	return client, id
}

func names(client *datacat.Client, id string) []string {
	session, err := client.GetSession(id)
	check(err)
	seen := []string{}
	for _, event := range session.Events {
		seen = append(seen, event.Name)
	}
	return seen
}

func flush(w *datacat.BatchWriter, seconds float64) error {
	limited, cancel := context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
	defer cancel()
	return w.Flush(limited)
}

// lost: the write is stored and its answer is not seen.
func lost() {
	client, id := open()
	for _, way := range []string{"GATEWAY", "CLOSED"} {
		behind := datacat.NewClient(os.Getenv("DATACAT_" + way))
		check(behind.LogEvent(id, way, nil))
		check(behind.LogMetric(id, way, 1, nil))
	}
	session, err := client.GetSession(id)
	check(err)
	equal([]int{len(session.Events), len(session.Metrics)}, []int{2, 2})
}

func moved() {
	client, id := open()
	behind := datacat.NewClient(os.Getenv("DATACAT_MOVED"), datacat.WithRetries(0))
	writer := behind.NewBatchWriter(id, datacat.BatchOptions{})
	check(writer.LogEvent("x", nil))
	check(flush(writer, 10))
	equal(names(client, id), []string{"x"})
}

func foreign() {
	_, id := open()
	for _, way := range []string{"HEALTH", "EXPIRED", "INGRESS"} {
		behind := datacat.NewClient(os.Getenv("DATACAT_"+way), datacat.WithRetries(0))
		writer := behind.NewBatchWriter(id, datacat.BatchOptions{})
		check(writer.LogEvent("kept", nil))
		equal(flush(writer, 0.5), context.DeadlineExceeded)
		stats := writer.Stats()
		equal([]int{stats.Queued, stats.Rejected, stats.Dropped}, []int{1, 0, 0})
		if stats.LastError == nil {
			panic("nobody was told")
		}
		_, err := behind.OpenSession(ctx, datacat.SessionOptions{})
		if err == nil {
			panic("an answer of somebody else opened a session")
		}
	}
}

func large() {
	client, id := open()
	writer := client.NewBatchWriter(id, datacat.BatchOptions{})
	big := map[string]interface{}{"big": strings.Repeat("x", 5_000_000)}
	equal(writer.UpdateState(big), datacat.ErrTooLarge)
	check(writer.UpdateState(nil))
	check(writer.LogEvent("after", nil))
	check(flush(writer, 10))
	equal(names(client, id), []string{"after"})
	var refusal *datacat.Error
	equal(errors.As(client.UpdateState(id, big), &refusal) && refusal.Status == 413, true)
}

func exceptions() {
	client, id := open()
	check(client.LogException(ctx, id, errors.New(strings.Repeat("я", 150_000)), nil))
	check(client.LogException(ctx, id, fmt.Errorf("bad frame %s", "\x00\x01\xff"), nil))
	_, missing := os.Open("/nowhere/at/all")
	check(client.LogException(ctx, id, fmt.Errorf("start: %w", missing), nil))
	session, err := client.GetSession(id)
	check(err)
	equal(len(session.Events), 3)
	equal(session.Events[2].Data["type"], "*fs.PathError")
	stack := fmt.Sprint(session.Events[2].Data["traceback"])
	equal(strings.Contains(stack, "main.exceptions") && strings.Contains(stack, "caused by *fs.PathError"), true)
	deep := fmt.Errorf("a: %w", fmt.Errorf("b: %w", &fs.PathError{Op: "c", Err: fs.ErrExist}))
	equal(datacat.NewException(deep).Type, "*fs.PathError")
}

func beats() {
	client, id := open()
	beat := client.StartHeartbeat(id, datacat.HeartbeatLimits{HungAfter: time.Second}, time.Minute)
	for deadline := time.Now().Add(20 * time.Second); len(names(client, id)) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			panic("no hang")
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	beat.Beat()
	check(beat.Stop(ended))
	equal(names(client, id), []string{"application_appears_hung", "application_recovered", "session_suspended"})
}

func main() {
	cases := map[string]func(){
		"lost": lost, "moved": moved, "foreign": foreign, "large": large, "exceptions": exceptions, "beats": beats,
	}
	cases[os.Args[1]]()
	fmt.Println("done")
}
