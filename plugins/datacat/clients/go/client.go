// Package datacat writes to and reads from a datacat server: sessions, state, events, metrics and heartbeats.
//
// The calls of the first version keep their signatures and have a variant with a context; newer calls take the context
// first. A call that gets anything but a 2xx answer returns an *Error.
package datacat

import (
	"net/http"
	"strings"
	"time"
)

// Client is a datacat server; it is safe for concurrent use once made.
type Client struct {
	// BaseURL is the address of the server, with the path prefix it is served under.
	BaseURL string
	// HTTPClient carries the requests.
	HTTPClient *http.Client

	token   string
	timeout time.Duration
	retries int
}

// Option changes a Client while NewClient makes it.
type Option func(*Client)

// WithToken sends the token as a bearer token with every request.
func WithToken(token string) Option {
	return func(c *Client) { c.token = token }
}

// WithTimeout limits each attempt of a call; the default is 30 seconds, 0 means no limit but the context's.
func WithTimeout(timeout time.Duration) Option {
	return func(c *Client) { c.timeout = timeout }
}

// WithRetries sets how often a call is repeated after a connection failure, 408, 429 or 5xx; the default is 3.
//
// Every write carries a key, so that the server stores a repeated one once. A first-version server knows no keys: there
// use 0.
func WithRetries(retries int) Option {
	return func(c *Client) { c.retries = retries }
}

// WithHTTPClient replaces the client that carries the requests.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) { c.HTTPClient = client }
}

// NewClient makes a client of the server at baseURL, for example http://127.0.0.1:8080.
func NewClient(baseURL string, options ...Option) *Client {
	c := &Client{BaseURL: strings.TrimRight(baseURL, "/"), timeout: 30 * time.Second, retries: 3}
	for _, option := range options {
		option(c)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Transport: newTransport()}
	}
	return c
}

func newTransport() http.RoundTripper {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	transport = transport.Clone()
	// Shorter than the idle time-out of common servers, so that a write does not meet a connection just being closed.
	transport.IdleConnTimeout = 3 * time.Second
	return transport
}
