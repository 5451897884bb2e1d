package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	longestWait  = 30 * time.Second
	retryCap     = 5 * time.Second
	errorBodyCap = 64 << 10
)

// Error is an answer other than 2xx.
type Error struct {
	// Status is the HTTP status, Body the server's words.
	Status int
	Body   string
	// RetryAfter is the wait the server asked for; it counts only when HasRetryAfter is true.
	RetryAfter    time.Duration
	HasRetryAfter bool

	call string
}

func (e *Error) Error() string {
	return fmt.Sprintf("datacat: %s failed with status %d: %s", e.call, e.Status, strings.TrimSpace(e.Body))
}

// Temporary tells whether the same request may succeed later.
func (e *Error) Temporary() bool {
	return e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests || e.Status >= 500
}

// unreachable is a request without an answer; sent tells whether the server may have acted on it.
type unreachable struct {
	call  string
	cause error
	sent  bool
}

func (e *unreachable) Error() string { return fmt.Sprintf("datacat: %s failed: %v", e.call, e.cause) }
func (e *unreachable) Unwrap() error { return e.cause }

type request struct {
	method, path string
	body         []byte
	// repeatable requests change nothing when they arrive twice.
	repeatable bool
	retries    int
}

func sessionPath(base, id string, verbs ...string) string {
	return strings.Join(append([]string{base, url.PathEscape(id)}, verbs...), "/")
}

func (c *Client) get(ctx context.Context, path string, answer interface{}) error {
	return c.send(ctx, request{method: http.MethodGet, path: path, repeatable: true, retries: c.retries}, answer)
}

func (c *Client) post(ctx context.Context, path string, body interface{}, repeatable bool, answer interface{}) error {
	r := request{method: http.MethodPost, path: path, repeatable: repeatable, retries: c.retries}
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("datacat: encoding: %w", err)
		}
		r.body = encoded
	}
	return c.send(ctx, r, answer)
}

func (c *Client) send(ctx context.Context, r request, answer interface{}) error {
	for failures := 0; ; failures++ {
		err := c.attempt(ctx, r, answer)
		if err == nil || failures >= r.retries || ctx.Err() != nil || !mayRepeat(err, r.repeatable) {
			return err
		}
		wait := waitAfter(err, failures)
		if wait > longestWait || sleep(ctx, wait) != nil {
			return err
		}
	}
}

func (c *Client) attempt(ctx context.Context, r request, answer interface{}) error {
	call := r.method + " " + r.path
	if c.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		ctx = limited
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	req, err := http.NewRequestWithContext(traced, r.method, c.BaseURL+r.path, bytes.NewReader(r.body))
	if err != nil {
		return fmt.Errorf("datacat: %s: %w", call, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.HTTPClient.Do(req)
	if err != nil {
		return &unreachable{call: call, cause: err, sent: sent.Load()}
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answerError(call, resp)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return &unreachable{call: call, cause: err, sent: true}
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("datacat: %s: decoding: %w", call, err)
	}
	return nil
}

func answerError(call string, resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, errorBodyCap))
	e := &Error{Status: resp.StatusCode, Body: string(text), call: call}
	asked := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(asked, 64); err == nil && seconds >= 0 {
		e.RetryAfter, e.HasRetryAfter = time.Duration(seconds*float64(time.Second)), true
	} else if date, err := http.ParseTime(asked); err == nil {
		e.RetryAfter, e.HasRetryAfter = time.Until(date), true
	}
	return e
}

func mayRepeat(err error, repeatable bool) bool {
	switch e := err.(type) {
	case *Error:
		return e.Temporary()
	case *unreachable:
		return repeatable || !e.sent
	}
	return false
}

func waitAfter(err error, failures int) time.Duration {
	if e, ok := err.(*Error); ok && e.HasRetryAfter {
		return e.RetryAfter
	}
	if failures > 10 {
		failures = 10
	}
	wait := 100 * time.Millisecond << failures
	if wait > retryCap {
		wait = retryCap
	}
	return wait/2 + time.Duration(rand.Int63n(int64(wait/2)))
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
