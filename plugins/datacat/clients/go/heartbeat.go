package datacat

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// HeartbeatLimits are the silences after which the server calls a session hung, then crashed; zero keeps the present
// limit.
type HeartbeatLimits struct {
	HungAfter    time.Duration
	CrashedAfter time.Duration
}

type beat struct {
	HungAfter    float64 `json:"hung_after_seconds,omitempty"`
	CrashedAfter float64 `json:"crashed_after_seconds,omitempty"`
	Suspended    bool    `json:"suspended,omitempty"`
}

func (l HeartbeatLimits) beat() beat {
	return beat{HungAfter: l.HungAfter.Seconds(), CrashedAfter: l.CrashedAfter.Seconds()}
}

// SendHeartbeat tells the server now that the session is alive; it is tried once, because a late beat would mislead.
func (c *Client) SendHeartbeat(ctx context.Context, sessionID string, limits HeartbeatLimits) error {
	return c.sendBeat(ctx, sessionID, limits.beat())
}

// Suspend announces a pause: the server detects nothing until the next heartbeat.
func (c *Client) Suspend(ctx context.Context, sessionID string) error {
	return c.sendBeat(ctx, sessionID, beat{Suspended: true})
}

func (c *Client) sendBeat(ctx context.Context, sessionID string, b beat) error {
	body, err := json.Marshal(b)
	if err != nil {
		return err
	}
	path := sessionPath(newBase, sessionID, "heartbeat")
	return c.send(ctx, request{method: http.MethodPost, path: path, body: body}, &status{})
}

// Heartbeat relays the beats of an application to the server, which detects hangs.
type Heartbeat struct {
	client    *Client
	sessionID string
	limits    HeartbeatLimits
	interval  time.Duration

	// relaying is held around requests, so that no beat overtakes a pause.
	relaying sync.Mutex
	cancel   context.CancelFunc
	done     chan struct{}
	wake     chan struct{}

	mu        sync.Mutex
	pending   bool
	suspended bool
	last      error
}

// StartHeartbeat starts relaying: at most one request per interval, and one now; 0 means a third of HungAfter, at most
// 5 seconds.
func (c *Client) StartHeartbeat(sessionID string, limits HeartbeatLimits, interval time.Duration) *Heartbeat {
	if interval <= 0 {
		interval = 5 * time.Second
		if third := limits.HungAfter / 3; third > 0 && third < interval {
			interval = third
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &Heartbeat{
		client: c, sessionID: sessionID, limits: limits, interval: interval,
		cancel: cancel, done: make(chan struct{}), wake: make(chan struct{}, 1), pending: true,
	}
	go h.run(ctx)
	return h
}

// Beat notes that the application is alive; it never waits for a request.
func (h *Heartbeat) Beat() {
	h.mu.Lock()
	h.pending, h.suspended = true, false
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Err returns why the last relay failed, nil when it succeeded.
func (h *Heartbeat) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Suspend announces a pause until the next Beat.
func (h *Heartbeat) Suspend(ctx context.Context) error {
	h.relaying.Lock()
	defer h.relaying.Unlock()
	h.mu.Lock()
	h.pending, h.suspended = false, true
	h.mu.Unlock()
	return h.client.Suspend(ctx, h.sessionID)
}

// Stop ends the relaying, after a beat that was not relayed yet, and, unless the session is paused already, tells
// the server to expect no more beats. With a context that has ended, as a deferred call often has, it has five seconds.
func (h *Heartbeat) Stop(ctx context.Context) error {
	if ctx.Err() != nil {
		own, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		ctx = own
	}
	h.cancel()
	<-h.done
	h.relay(ctx)
	h.mu.Lock()
	paused := h.suspended
	h.mu.Unlock()
	if paused {
		return nil
	}
	return h.client.Suspend(ctx, h.sessionID)
}

func (h *Heartbeat) run(ctx context.Context) {
	defer close(h.done)
	for {
		h.relay(ctx)
		if sleep(ctx, h.interval) != nil {
			return
		}
		h.mu.Lock()
		waiting := !h.pending
		h.mu.Unlock()
		if waiting {
			select {
			case <-h.wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (h *Heartbeat) relay(ctx context.Context) {
	h.relaying.Lock()
	defer h.relaying.Unlock()
	h.mu.Lock()
	pending := h.pending
	h.pending = false
	h.mu.Unlock()
	if !pending {
		return
	}
	err := h.client.SendHeartbeat(ctx, h.sessionID, h.limits)
	h.mu.Lock()
	h.last = err
	h.pending = h.pending || err != nil && !h.suspended
	h.mu.Unlock()
}
