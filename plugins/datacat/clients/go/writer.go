package datacat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ErrQueueFull is returned for an item that was dropped because the server is away for too long.
var ErrQueueFull = errors.New("datacat: the queue is full")

// ErrTooLarge is returned for an item over the server's limit of 1 MB.
var ErrTooLarge = errors.New("datacat: the item is over the server's 1 MB")

// ErrClosed is returned for an item given to a closed BatchWriter.
var ErrClosed = errors.New("datacat: the batch writer is closed")

const batchBytes = 500_000

// BatchOptions tunes a BatchWriter; zero values mean the defaults.
type BatchOptions struct {
	// FlushInterval is how long an item waits for others; 1 second.
	FlushInterval time.Duration
	// Size is how many items make a batch at once; 500, at most 1,000.
	Size int
	// QueueSize is how many items may wait in memory; 10,000.
	QueueSize int
}

// BatchStats counts the items of a BatchWriter.
type BatchStats struct {
	// Queued items wait, Sent ones are stored by the server, Duplicates of them were stored by an earlier attempt.
	Queued, Sent, Duplicates int
	// Rejected items were refused for good, Dropped ones never reached the server.
	Rejected, Dropped int
	// LastError is the last refusal or failure.
	LastError error
}

// BatchWriter sends the writes of one session in the background, in order and once each, however often it must try.
type BatchWriter struct {
	client    *Client
	sessionID string
	options   BatchOptions
	cancel    context.CancelFunc
	done      chan struct{}
	wake      chan struct{}
	hurry     chan struct{}

	mu         sync.Mutex
	queue      []entry
	histograms map[string]*series
	order      []*series
	flying     int
	cutAt      time.Time
	flushTo    int
	accepted   int
	settled    int
	closed     bool
	stats      BatchStats
	changed    chan struct{}
}

type series struct {
	name string
	tags []string
	held *distribution
}

// NewBatchWriter starts a writer for the session; Close it to send what waits.
func (c *Client) NewBatchWriter(sessionID string, options BatchOptions) *BatchWriter {
	if options.FlushInterval <= 0 {
		options.FlushInterval = time.Second
	}
	if options.Size <= 0 || options.Size > 1000 {
		options.Size = 500
	}
	if options.QueueSize <= 0 {
		options.QueueSize = 10_000
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &BatchWriter{
		client: c, sessionID: sessionID, options: options, cancel: cancel, done: make(chan struct{}),
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		histograms: map[string]*series{}, changed: make(chan struct{}),
	}
	go w.run(ctx)
	return w
}

// Stats returns the counts so far.
func (w *BatchWriter) Stats() BatchStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	stats := w.stats
	stats.Queued = w.held()
	return stats
}

// Flush waits until the server has answered all that was queued before; the context's error when it ends first.
func (w *BatchWriter) Flush(ctx context.Context) error {
	w.mu.Lock()
	target := w.accepted
	w.hasten(target)
	w.mu.Unlock()
	for {
		w.mu.Lock()
		reached, changed := w.settled >= target, w.changed
		w.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close takes nothing more and sends what waits; what is left when the context ends is dropped and reported.
func (w *BatchWriter) Close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	w.hasten(w.accepted)
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	w.cancel()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if left := w.accepted - w.settled; left > 0 {
		w.settle(left, BatchStats{Dropped: left})
		w.queue, w.histograms, w.order, w.flying = nil, map[string]*series{}, nil, 0
		return fmt.Errorf("datacat: %d items were not delivered, last error: %v: %w", left, w.stats.LastError, ctx.Err())
	}
	return nil
}

func (w *BatchWriter) held() int {
	return len(w.queue) + len(w.histograms) + w.flying
}

func (w *BatchWriter) hasten(target int) {
	// Drained here, so that items queued later cannot stand for those waited for.
	w.drainHistograms()
	w.flushTo = target
	signal(w.wake)
	signal(w.hurry)
}

func signal(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}

// admit makes room for one more item.
func (w *BatchWriter) admit() error {
	if w.closed {
		w.stats.Dropped++
		return ErrClosed
	}
	if w.held() >= w.options.QueueSize {
		w.stats.Dropped++
		return ErrQueueFull
	}
	if len(w.queue)+len(w.histograms) == 0 {
		w.cutAt = time.Now().Add(w.options.FlushInterval)
		signal(w.wake)
	}
	w.accepted++
	return nil
}

func (w *BatchWriter) put(kind kind, item interface{}) error {
	e, err := encode(kind, item)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(e.text) > largestItem {
		w.stats.Rejected, w.stats.LastError = w.stats.Rejected+1, ErrTooLarge
		return ErrTooLarge
	}
	if err := w.admit(); err != nil {
		return err
	}
	if kind == kindEnd {
		w.drainHistograms()
	}
	w.queue = append(w.queue, e)
	if len(w.queue) == w.options.Size {
		signal(w.wake)
	}
	return nil
}

func (w *BatchWriter) observe(name string, sample float64, tags []string) error {
	if _, err := encode(kindMetric, sample); err != nil {
		return err
	}
	key := name + "\x00" + strings.Join(tags, "\x00")
	w.mu.Lock()
	defer w.mu.Unlock()
	one, known := w.histograms[key]
	if !known {
		if err := w.admit(); err != nil {
			return err
		}
		one = &series{name: name, tags: append([]string(nil), tags...), held: newDistribution()}
		w.histograms[key] = one
		w.order = append(w.order, one)
	}
	one.held.add(sample)
	return nil
}

func (w *BatchWriter) drainHistograms() {
	for _, one := range w.order {
		e, err := encode(kindMetric, one.held.record(one.name, one.tags).stamped())
		if err != nil {
			w.settle(1, BatchStats{Rejected: 1, LastError: err})
			continue
		}
		w.queue = append(w.queue, e)
	}
	w.histograms, w.order = map[string]*series{}, nil
}
