package datacat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	longestWait  = 30 * time.Second
	retryCap     = 5 * time.Second
	errorBodyCap = 64 << 10
	// The server's limit; one item is smaller by the names around it.
	largestBody   = 1 << 20
	largestItem   = 1_040_000
	mostRedirects = 5
	problemPrefix = "urn:rayne:error:"
)

// Error is an answer other than 2xx.
type Error struct {
	// Status is the HTTP status, Body the server's words.
	Status int
	Body   string
	// Problem is which of its own errors datacat named; empty for an answer of anybody else.
	Problem string
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

// Final tells whether datacat itself refused for good: a proxy, a login page or an expired token is no such refusal.
func (e *Error) Final() bool {
	about := e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge
	return e.Problem == "session-not-found" || e.Problem != "" && about
}

// unreachable is a request without an answer of datacat.
type unreachable struct {
	call  string
	cause error
}

func (e *unreachable) Error() string { return fmt.Sprintf("datacat: %s failed: %v", e.call, e.cause) }
func (e *unreachable) Unwrap() error { return e.cause }

type request struct {
	method, path string
	body         []byte
	// key makes a repeated write the same one to the server.
	key     string
	retries int
}

func sessionPath(base, id string, verbs ...string) string {
	return strings.Join(append([]string{base, url.PathEscape(id)}, verbs...), "/")
}

func (c *Client) get(ctx context.Context, path string, answer interface{}) error {
	return c.send(ctx, request{method: http.MethodGet, path: path, retries: c.retries}, answer)
}

func (c *Client) post(ctx context.Context, path string, body interface{}, key string, answer checked) error {
	r := request{method: http.MethodPost, path: path, key: key, retries: c.retries}
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
		if err == nil || failures >= r.retries || ctx.Err() != nil || !mayRepeat(err) {
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
	if len(r.body) > largestBody {
		return &Error{
			Status: http.StatusRequestEntityTooLarge, Problem: "body-too-large", call: call,
			Body: fmt.Sprintf("%d bytes are over 1 MB; not sent", len(r.body)),
		}
	}
	resp, err := c.do(ctx, r)
	if err != nil {
		return &unreachable{call: call, cause: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answerError(call, resp)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return &unreachable{call: call, cause: err}
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return &unreachable{call: call, cause: fmt.Errorf("this is no answer of datacat: %w", err)}
	}
	if own, ok := answer.(checked); ok && !own.valid() {
		return &unreachable{call: call, cause: fmt.Errorf("this is no answer of datacat: %.80s", text)}
	}
	return nil
}

// checked is an answer that can be told from that of another server.
type checked interface{ valid() bool }

// do sends a request and follows redirects as it is: net/http would make a GET of a write.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	carrier := *c.HTTPClient
	carrier.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	first, err := url.Parse(c.BaseURL + r.path)
	if err != nil {
		return nil, err
	}
	for target, hops := first, 0; ; hops++ {
		req, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		if r.key != "" {
			req.Header.Set("Idempotency-Key", r.key)
		}
		safe := first.Scheme == "http" || target.Scheme == "https"
		if c.token != "" && safe && target.Hostname() == first.Hostname() {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := carrier.Do(req)
		if err != nil || !movesOn(resp, r.method) || hops == mostRedirects {
			return resp, err
		}
		next, err := resp.Location()
		if err != nil {
			return resp, nil
		}
		resp.Body.Close()
		target = next
	}
}

func movesOn(resp *http.Response, method string) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return resp.StatusCode == http.StatusSeeOther && method == http.MethodGet
}

func answerError(call string, resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, errorBodyCap))
	e := &Error{Status: resp.StatusCode, Body: string(text), call: call}
	var own struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(text, &own) == nil && strings.HasPrefix(own.Type, problemPrefix) {
		e.Problem = strings.TrimPrefix(own.Type, problemPrefix)
	}
	if location := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && location != "" {
		e.Body = "moved to " + location + ": give the client that address"
	}
	asked := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(asked, 64); err == nil && seconds >= 0 {
		e.RetryAfter, e.HasRetryAfter = time.Duration(seconds*float64(time.Second)), true
	} else if date, err := http.ParseTime(asked); err == nil {
		e.RetryAfter, e.HasRetryAfter = time.Until(date), true
	}
	return e
}

func mayRepeat(err error) bool {
	switch e := err.(type) {
	case *Error:
		return e.Temporary()
	case *unreachable:
		return true
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
