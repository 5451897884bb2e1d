package datacat

import (
	"context"
	"errors"
	"net/http"
	"time"
)

func (w *BatchWriter) run(ctx context.Context) {
	defer close(w.done)
	for {
		b, ok := w.next(ctx)
		if !ok {
			return
		}
		if !w.deliver(ctx, b) {
			return
		}
	}
}

// next waits for a batch to be due; false when there will be none any more.
func (w *BatchWriter) next(ctx context.Context) (batch, bool) {
	for {
		w.mu.Lock()
		wait := w.untilDue()
		if wait <= 0 {
			b := w.cut()
			w.mu.Unlock()
			return b, true
		}
		finished := w.closed && w.held() == 0
		w.mu.Unlock()
		if finished {
			return batch{}, false
		}
		timer := time.NewTimer(wait)
		select {
		case <-w.wake:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return batch{}, false
		}
		timer.Stop()
	}
}

func (w *BatchWriter) untilDue() time.Duration {
	if len(w.queue)+len(w.histograms) == 0 {
		return time.Hour
	}
	if w.settled < w.flushTo || len(w.queue) >= w.options.Size {
		return 0
	}
	return time.Until(w.cutAt)
}

func (w *BatchWriter) cut() batch {
	w.drainHistograms()
	b := batch{key: newKey()}
	size := 0
	for _, e := range w.queue {
		if len(b.entries) == w.options.Size || len(b.entries) > 0 && size+len(e.text) > batchBytes {
			break
		}
		b.entries = append(b.entries, e)
		size += len(e.text)
		if e.kind == kindEnd {
			break
		}
	}
	w.queue = w.queue[len(b.entries):]
	w.flying = len(b.entries)
	return b
}

// deliver tries until the server has answered; false when the writer was stopped before.
func (w *BatchWriter) deliver(ctx context.Context, b batch) bool {
	for failures := 0; ; failures++ {
		outcome, err := w.try(ctx, b)
		if err == nil {
			w.mu.Lock()
			w.flying = 0
			w.settle(len(b.entries), outcome)
			w.mu.Unlock()
			return true
		}
		w.mu.Lock()
		w.stats.LastError = err
		w.mu.Unlock()
		if !w.pause(ctx, err, failures) {
			return false
		}
	}
}

func (w *BatchWriter) pause(ctx context.Context, err error, failures int) bool {
	timer := time.NewTimer(waitAfter(err, failures))
	defer timer.Stop()
	hurry := w.hurry
	var asked *Error
	if errors.As(err, &asked) && asked.HasRetryAfter {
		hurry = nil
	}
	select {
	case <-timer.C:
	case <-hurry:
	case <-ctx.Done():
		return false
	}
	return true
}

// try sends a batch once; one the server refuses is halved until the refused items stand alone.
func (w *BatchWriter) try(ctx context.Context, b batch) (BatchStats, error) {
	answer, err := w.client.sendBatch(ctx, w.sessionID, b, 0)
	if err == nil {
		outcome := BatchStats{Sent: len(b.entries)}
		if *answer.Duplicate {
			outcome.Duplicates = len(b.entries)
		}
		return outcome, nil
	}
	var refusal *Error
	if !errors.As(err, &refusal) || !refusal.Final() {
		return BatchStats{}, err
	}
	if len(b.entries) < 2 || refusal.Status == http.StatusNotFound {
		return BatchStats{Rejected: len(b.entries), LastError: err}, nil
	}
	var total BatchStats
	for _, half := range b.halves() {
		outcome, err := w.try(ctx, half)
		if err != nil {
			return BatchStats{}, err
		}
		total.add(outcome)
	}
	return total, nil
}

func (s *BatchStats) add(other BatchStats) {
	s.Sent += other.Sent
	s.Duplicates += other.Duplicates
	s.Rejected += other.Rejected
	s.Dropped += other.Dropped
	if other.LastError != nil {
		s.LastError = other.LastError
	}
}

// settle counts items that wait no longer and wakes who waits for them.
func (w *BatchWriter) settle(items int, outcome BatchStats) {
	w.stats.add(outcome)
	w.settled += items
	close(w.changed)
	w.changed = make(chan struct{})
}
