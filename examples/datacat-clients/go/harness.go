package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"time"

	datacat "rayne/datacat"
)

var (
	address = strings.TrimRight(os.Getenv("DATACAT_URL"), "/")
	answers = bufio.NewScanner(os.Stdin)
	called  = map[string]bool{}
)

// use notes that a public function of the client is about to be called, and returns it.
func use[F any](function F) F {
	full := strings.TrimSuffix(runtime.FuncForPC(reflect.ValueOf(function).Pointer()).Name(), "-fm")
	name := full[strings.LastIndex(full, "/")+1:]
	called[strings.NewReplacer("datacat.(*", "", ")", "", "datacat.", "").Replace(name)] = true
	return function
}

// calls lists what was used; it fails when a method of a public type was not.
func calls() []string {
	for _, one := range []interface{}{&datacat.Client{}, &datacat.BatchWriter{}, &datacat.Heartbeat{}, &datacat.Error{}} {
		kind := reflect.TypeOf(one)
		for i := 0; i < kind.NumMethod(); i++ {
			name := kind.Elem().Name() + "." + kind.Method(i).Name
			check(called[name], "never called:", name)
		}
	}
	var names []string
	for name := range called {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func say(line map[string]interface{}) {
	text, err := json.Marshal(line)
	must(err)
	fmt.Println(string(text))
}

func please(what string) {
	say(map[string]interface{}{"please": what})
	check(answers.Scan(), "nobody answered the request to", what, "the server")
}

func check(condition bool, seen ...interface{}) {
	if !condition {
		_, _, line, _ := runtime.Caller(1)
		panic(fmt.Errorf("line %d: not as expected: %s", line, fmt.Sprintln(seen...)))
	}
}

func must(err error) {
	if err != nil {
		_, _, line, _ := runtime.Caller(1)
		panic(fmt.Errorf("line %d: %w", line, err))
	}
}

func equal(seen, wanted interface{}) {
	if !reflect.DeepEqual(seen, wanted) {
		_, _, line, _ := runtime.Caller(1)
		panic(fmt.Errorf("line %d: %v is not %v", line, seen, wanted))
	}
}

// read asks the server past the client, so that the client is not judged by itself.
func read(path string, answer interface{}) {
	response, err := http.Get(address + path)
	must(err)
	defer response.Body.Close()
	check(response.StatusCode == http.StatusOK, path, response.Status)
	must(json.NewDecoder(response.Body).Decode(answer))
}

type event struct {
	Name      string                 `json:"name"`
	Level     string                 `json:"level"`
	Message   string                 `json:"message"`
	Timestamp string                 `json:"timestamp"`
	Data      map[string]interface{} `json:"data"`
	Exception *datacat.Exception     `json:"exception"`
}

type point struct {
	Value    float64 `json:"value"`
	Type     string  `json:"type"`
	Unit     string  `json:"unit"`
	Count    int     `json:"count"`
	Metadata struct {
		Sum     float64
		Buckets []struct {
			Le    *float64
			Count int
		}
	} `json:"metadata"`
}

type detail struct {
	Product   string `json:"product"`
	Version   string `json:"version"`
	MachineID string `json:"machine_id"`
	Hostname  string `json:"hostname"`
	Status    string `json:"status"`
	Active    bool   `json:"active"`
}

func detailOf(id string) (answer detail) {
	read("/v1/datacat/sessions/"+id, &answer)
	return answer
}

func eventsOf(id string) []event {
	var page struct{ Events []event }
	read("/v1/datacat/sessions/"+id+"/events?limit=1000", &page)
	return page.Events
}

// named are the names of a session's events that begin with one of the prefixes.
func named(id string, prefixes ...string) []string {
	names := []string{}
	for _, one := range eventsOf(id) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(one.Name, prefix) {
				names = append(names, one.Name)
			}
		}
	}
	return names
}

func pointsOf(id, name string) (points []point) {
	after := ""
	for {
		var page struct {
			Points    []point
			NextAfter *int `json:"next_after"`
		}
		read("/v1/datacat/sessions/"+id+"/points?limit=1000&name="+name+after, &page)
		points = append(points, page.Points...)
		if page.NextAfter == nil {
			return points
		}
		after = fmt.Sprint("&after=", *page.NextAfter)
	}
}

func waitFor(what string, limit time.Duration, done func() bool) {
	for deadline := time.Now().Add(limit); !done(); time.Sleep(100 * time.Millisecond) {
		check(time.Now().Before(deadline), "waited for", what)
	}
}
