// Command datacat makes every public call of the Go client against a running server and checks what came back.
//
// It reads the address from DATACAT_URL, prints one JSON line a step, and asks for the server to be stopped and started
// with {"please": …} lines, each answered by one line on stdin.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	datacat "rayne/datacat"
)

const batchItems = 1200

type object = map[string]interface{}

var ctx = context.Background()

func main() {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintln(os.Stderr, "main.go:", failure)
			os.Exit(1)
		}
	}()
	client := use(datacat.NewClient)(address)
	steps := []struct {
		name string
		run  func(*datacat.Client)
	}{
		{"plain calls", plainCalls},
		{"contexts", contexts},
		{"errors", refusals},
		{"typed", typed},
		{"batches", batches},
		{"heartbeats", heartbeats},
	}
	for _, step := range steps {
		step.run(client)
		say(object{"step": step.name})
	}
	id := outage(client)
	say(object{"step": "outage"})
	say(object{"done": true, "session_id": id, "calls": calls()})
}

func plainCalls(client *datacat.Client) {
	id, err := use(client.CreateSession)()
	must(err)
	must(use(client.UpdateState)(id, object{"window": object{"open": []string{"main"}, "active": "main"}, "gone": 1}))
	must(client.UpdateState(id, object{"window": object{"open": []string{"main", "café"}}, "gone": nil}))
	must(use(client.LogEvent)(id, "opened", nil))
	must(client.LogEvent(id, "saved", object{"file": "café.txt"}))
	must(use(client.LogMetric)(id, "cpu", 2, []string{"host:a"}))
	must(client.LogMetric(id, "cpu", 2.5, nil))
	whole, err := use(client.GetSession)(id)
	must(err)
	equal(whole.State, object{"window": object{"open": []interface{}{"main", "café"}, "active": "main"}, "gone": nil})
	check(len(whole.Events) == 2, whole.Events)
	check(whole.Events[0].Data == nil && whole.Events[1].Data["file"] == "café.txt", whole.Events)
	check(len(whole.Metrics) == 2 && whole.Metrics[0].Tags[0] == "host:a" && whole.Metrics[1].Value == 2.5, whole.Metrics)
	check(whole.Active && whole.EndedAt == nil, whole)
	must(use(client.EndSession)(id))
	whole, err = client.GetSession(id)
	must(err)
	check(!whole.Active && whole.EndedAt != nil, whole)
	all, err := use(client.GetAllSessions)()
	must(err)
	check(holds(all, id), "the list has the session")
}

func holds(all []*datacat.Session, id string) bool {
	for _, one := range all {
		if one.ID == id {
			return true
		}
	}
	return false
}

func contexts(client *datacat.Client) {
	id, err := use(client.CreateSessionContext)(ctx)
	must(err)
	must(use(client.UpdateStateContext)(ctx, id, object{"a": 1}))
	must(use(client.LogEventContext)(ctx, id, "e", nil))
	must(use(client.LogMetricContext)(ctx, id, "m", 1, nil))
	must(use(client.EndSessionContext)(ctx, id))
	whole, err := use(client.GetSessionContext)(ctx, id)
	must(err)
	check(len(whole.Events) == 1 && len(whole.Metrics) == 1 && !whole.Active, whole)
	all, err := use(client.GetAllSessionsContext)(ctx)
	must(err)
	check(holds(all, id), "the list has the session")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	check(errors.Is(client.LogEventContext(cancelled, id, "never", nil), context.Canceled))
}

func refusals(client *datacat.Client) {
	_, err := client.GetSession("no/such session")
	var refusal *datacat.Error
	check(errors.As(err, &refusal) && refusal.Status == http.StatusNotFound && !use(refusal.Temporary)(), err)
	check(!use(refusal.Final)(), err) // in plain words, as the first version says it
	check(strings.Contains(use(refusal.Error)(), "404") && strings.Contains(err.Error(), "Session not found"), err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	silent := datacat.NewClient(
		"http://"+listener.Addr().String(),
		use(datacat.WithTimeout)(300*time.Millisecond),
		use(datacat.WithRetries)(0),
	)
	started := time.Now()
	_, err = silent.CreateSession()
	check(errors.Is(err, context.DeadlineExceeded) && time.Since(started) < 5*time.Second, err)
	must(listener.Close())
	_, err = silent.CreateSession()
	check(err != nil && !errors.As(err, &refusal), err)
	known := datacat.NewClient(
		address,
		use(datacat.WithToken)("not needed here"),
		use(datacat.WithHTTPClient)(&http.Client{}),
	)
	if _, err = known.CreateSession(); err != nil {
		check(errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized, err)
	}
}

func typed(client *datacat.Client) {
	options := datacat.SessionOptions{
		Product: "example", Version: "1", MachineID: "m-1", Hostname: "here", State: object{"phase": "typed"},
		Heartbeat: &datacat.HeartbeatLimits{HungAfter: time.Minute, CrashedAfter: 5 * time.Minute},
	}
	id, err := use(client.OpenSession)(ctx, options)
	must(err)
	options.ID = id
	again, err := client.OpenSession(ctx, options)
	must(err)
	equal(again, id)
	opened := detailOf(id)
	equal(
		[]string{opened.Product, opened.Version, opened.MachineID, opened.Hostname},
		[]string{"example", "1", "m-1", "here"},
	)
	must(use(client.LogGauge)(ctx, id, "load", 0.5, []string{"a"}))
	must(use(client.LogCounter)(ctx, id, "saves", 2, nil))
	must(use(client.LogTimer)(ctx, id, "render", 1500*time.Millisecond, nil))
	must(use(client.StartTimer)(ctx, id, "body", nil)())
	must(use(client.LogHistogram)(ctx, id, "size", []float64{0.02, 99}, nil))
	must(use(client.SendMetric)(ctx, id, datacat.MetricRecord{Name: "heap", Value: 7, Type: datacat.Gauge, Unit: "MB"}))
	equal(pointsOf(id, "heap")[0].Unit, "MB")
	equal(pointsOf(id, "saves")[0].Type, "counter")
	equal(pointsOf(id, "render")[0].Value, 1.5)
	check(pointsOf(id, "body")[0].Type == "timer" && pointsOf(id, "load")[0].Value == 0.5)
	size := pointsOf(id, "size")[0]
	last := size.Metadata.Buckets[len(size.Metadata.Buckets)-1]
	check(size.Type == "histogram" && size.Count == 2 && last.Le == nil && last.Count == 1, size)
	happened := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	must(use(client.SendEvent)(ctx, id, datacat.EventRecord{
		Name: "slow", Level: datacat.LevelWarning, Message: "took long",
		Labels: []string{"ui"}, Timestamp: happened,
	}))
	must(use(client.LogException)(ctx, id, errors.New("broken"), object{"step": "typed"}))
	seen := eventsOf(id)
	check(seen[0].Level == "warning" && seen[0].Message == "took long", seen[0])
	check(strings.HasPrefix(seen[0].Timestamp, "2026-01-31T12:00:00"), seen[0])
	failure := seen[1]
	check(failure.Name == "exception" && failure.Level == "error", failure)
	thrown := failure.Exception
	check(failure.Data["step"] == "typed" && thrown.Message == "broken", failure)
	check(strings.Contains(thrown.Function, "typed") && len(thrown.Stacktrace) > 1, thrown)
	equal(use(datacat.NewException)(errors.New("x")).Type, "*errors.errorString")
	must(client.EndSession(id))
}

func batches(client *datacat.Client) {
	id, err := client.CreateSession()
	must(err)
	writer := use(client.NewBatchWriter)(id, datacat.BatchOptions{})
	for i := 0; i < batchItems; i++ {
		must(use(writer.LogMetric)("many", float64(i), nil))
	}
	must(use(writer.UpdateState)(object{"phase": "batch"}))
	must(use(writer.LogEvent)("queued", nil))
	must(use(writer.LogGauge)("load", 1, nil))
	must(use(writer.LogCounter)("saves", 1, nil))
	must(use(writer.LogTimer)("render", time.Second, nil))
	must(use(writer.StartTimer)("body", nil)())
	must(use(writer.LogHistogram)("size", 0.5, nil))
	must(writer.LogHistogram("size", 1.5, nil))
	must(use(writer.AddMetric)(datacat.MetricRecord{Name: "heap", Value: 7, Unit: "MB"}))
	must(use(writer.AddEvent)(datacat.EventRecord{Name: strings.Repeat("x", 300)}))
	must(use(writer.LogException)(errors.New("broken"), nil))
	must(use(writer.Flush)(ctx))
	stats := use(writer.Stats)()
	check(stats.Rejected == 1 && stats.Dropped == 0 && stats.Queued == 0 && stats.LastError != nil, stats)
	many := pointsOf(id, "many")
	equal(len(many), batchItems)
	for i, one := range many {
		equal(one.Value, float64(i))
	}
	check(pointsOf(id, "size")[0].Count == 2 && pointsOf(id, "size")[0].Value == 1, pointsOf(id, "size"))
	equal(named(id, "queued", "exception"), []string{"queued", "exception"})
	must(use(writer.End)())
	must(use(writer.Close)(ctx))
	check(errors.Is(writer.LogEvent("late", nil), datacat.ErrClosed) && !detailOf(id).Active)
}

func heartbeats(client *datacat.Client) {
	id, err := client.CreateSession()
	must(err)
	told := func() string { return strings.Join(named(id, "application_"), " ") }
	heart := use(client.StartHeartbeat)(id, datacat.HeartbeatLimits{HungAfter: 2 * time.Second}, 500*time.Millisecond)
	for i := 0; i < 15; i++ {
		use(heart.Beat)()
		time.Sleep(200 * time.Millisecond)
	}
	must(use(heart.Err)())
	equal(told(), "")
	waitFor("the hang", 30*time.Second, func() bool { return told() == "application_appears_hung" })
	heart.Beat()
	waitFor("the recovery", 10*time.Second, func() bool {
		return told() == "application_appears_hung application_recovered"
	})
	must(use(heart.Suspend)(ctx))
	equal(detailOf(id).Status, "suspended")
	must(use(heart.Stop)(ctx))
	must(use(client.SendHeartbeat)(ctx, id, datacat.HeartbeatLimits{HungAfter: time.Minute}))
	must(use(client.Suspend)(ctx, id))
	equal(told(), "application_appears_hung application_recovered")
	must(client.EndSession(id))
}

func outage(client *datacat.Client) string {
	id, err := client.OpenSession(ctx, datacat.SessionOptions{Product: "example"})
	must(err)
	writer := client.NewBatchWriter(id, datacat.BatchOptions{FlushInterval: 100 * time.Millisecond})
	must(writer.LogMetric("before", 1, nil))
	must(writer.LogEvent("n0", nil))
	must(writer.Flush(ctx))
	please("stop")
	wanted := []string{"n0"}
	for i := 1; i <= 5; i++ {
		wanted = append(wanted, fmt.Sprint("n", i))
		must(writer.LogEvent(wanted[i], nil))
		time.Sleep(150 * time.Millisecond)
	}
	short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	check(errors.Is(writer.Flush(short), context.DeadlineExceeded) && writer.Stats().Queued == 5, writer.Stats())
	cancel()
	please("start")
	patient, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	must(writer.Close(patient))
	equal(named(id, "n"), wanted)
	equal(writer.Stats().Sent, 7)
	return id
}
