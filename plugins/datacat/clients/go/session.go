package datacat

import (
	"context"
	"time"
)

const (
	oldBase = "/api/sessions"
	newBase = "/v1/datacat/sessions"
)

// Session is a whole session as the server returns it.
type Session struct {
	ID        string                 `json:"id"`
	CreatedAt time.Time              `json:"created_at"`
	UpdatedAt time.Time              `json:"updated_at"`
	EndedAt   *time.Time             `json:"ended_at,omitempty"`
	Active    bool                   `json:"active"`
	State     map[string]interface{} `json:"state"`
	Events    []Event                `json:"events"`
	Metrics   []Metric               `json:"metrics"`
}

func (s *Session) valid() bool { return s.ID != "" }

// SessionOptions describes a session to open; every field may be left out.
type SessionOptions struct {
	// ID is a UUID of the caller's choice; opening the same one again is harmless.
	ID        string
	Product   string
	Version   string
	MachineID string
	Hostname  string
	StartedAt time.Time
	State     map[string]interface{}
	// Heartbeat starts the server's watch right away; without it the watch starts with the first beat.
	Heartbeat *HeartbeatLimits
}

type status struct {
	Status string `json:"status"`
}

func (s *status) valid() bool { return s.Status == "ok" }

type created struct {
	SessionID string `json:"session_id"`
}

func (c *created) valid() bool { return c.SessionID != "" }

type opening struct {
	ID        string                 `json:"id"`
	Product   string                 `json:"product,omitempty"`
	Version   string                 `json:"version,omitempty"`
	MachineID string                 `json:"machine_id,omitempty"`
	Hostname  string                 `json:"hostname,omitempty"`
	StartedAt int64                  `json:"started_at"`
	State     map[string]interface{} `json:"state,omitempty"`
	Heartbeat *beat                  `json:"heartbeat,omitempty"`
}

// CreateSession creates a session and returns its id.
func (c *Client) CreateSession() (string, error) {
	return c.CreateSessionContext(context.Background())
}

// CreateSessionContext is CreateSession with a context.
func (c *Client) CreateSessionContext(ctx context.Context) (string, error) {
	var answer created
	err := c.post(ctx, oldBase, nil, newUUID(), &answer)
	return answer.SessionID, err
}

// OpenSession creates a described session and returns its id; a lost answer is asked for again without making two.
func (c *Client) OpenSession(ctx context.Context, options SessionOptions) (string, error) {
	body := opening{
		ID: options.ID, Product: options.Product, Version: options.Version, MachineID: options.MachineID,
		Hostname: options.Hostname, StartedAt: milliseconds(options.StartedAt), State: options.State,
	}
	if body.ID == "" {
		body.ID = newUUID()
	}
	if options.Heartbeat != nil {
		limits := options.Heartbeat.beat()
		body.Heartbeat = &limits
	}
	var answer created
	err := c.post(ctx, newBase, body, "", &answer)
	return answer.SessionID, err
}

// GetSession reads a session with all its events and metrics.
func (c *Client) GetSession(sessionID string) (*Session, error) {
	return c.GetSessionContext(context.Background(), sessionID)
}

// GetSessionContext is GetSession with a context.
func (c *Client) GetSessionContext(ctx context.Context, sessionID string) (*Session, error) {
	var session Session
	if err := c.get(ctx, sessionPath(oldBase, sessionID), &session); err != nil {
		return nil, err
	}
	return &session, nil
}

// GetAllSessions reads every session with all its data; large.
func (c *Client) GetAllSessions() ([]*Session, error) {
	return c.GetAllSessionsContext(context.Background())
}

// GetAllSessionsContext is GetAllSessions with a context.
func (c *Client) GetAllSessionsContext(ctx context.Context) ([]*Session, error) {
	var sessions []*Session
	if err := c.get(ctx, "/api/grafana/sessions", &sessions); err != nil {
		return nil, err
	}
	return sessions, nil
}

// UpdateState merges state into the session's state, key by key.
func (c *Client) UpdateState(sessionID string, state map[string]interface{}) error {
	return c.UpdateStateContext(context.Background(), sessionID, state)
}

// UpdateStateContext is UpdateState with a context.
func (c *Client) UpdateStateContext(ctx context.Context, sessionID string, state map[string]interface{}) error {
	return c.post(ctx, sessionPath(oldBase, sessionID, "state"), state, newKey(), &status{})
}

// EndSession marks the session as ended; ending it again moves its end.
func (c *Client) EndSession(sessionID string) error {
	return c.EndSessionContext(context.Background(), sessionID)
}

// EndSessionContext is EndSession with a context.
func (c *Client) EndSessionContext(ctx context.Context, sessionID string) error {
	return c.post(ctx, sessionPath(oldBase, sessionID, "end"), nil, newKey(), &status{})
}
