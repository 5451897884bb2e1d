package datacat

import (
	"context"
	"time"
)

// Event is an event as the server returns it.
type Event struct {
	Timestamp time.Time              `json:"timestamp"`
	Name      string                 `json:"name"`
	Data      map[string]interface{} `json:"data"`
}

// Level is how grave an event is.
type Level string

// The levels the server knows.
const (
	LevelDebug    Level = "debug"
	LevelInfo     Level = "info"
	LevelWarning  Level = "warning"
	LevelError    Level = "error"
	LevelCritical Level = "critical"
)

// EventRecord is an event to write; only Name is required.
type EventRecord struct {
	Name      string                 `json:"name"`
	Data      map[string]interface{} `json:"data"`
	Level     Level                  `json:"level,omitempty"`
	Message   string                 `json:"message,omitempty"`
	Group     string                 `json:"group,omitempty"`
	Labels    []string               `json:"labels,omitempty"`
	Exception *Exception             `json:"exception,omitempty"`
	// Timestamp is when it happened; now when zero.
	Timestamp time.Time `json:"-"`
}

type stampedEvent struct {
	EventRecord
	At int64 `json:"timestamp"`
}

func (e EventRecord) stamped() stampedEvent {
	return stampedEvent{EventRecord: e, At: milliseconds(e.Timestamp)}
}

func milliseconds(at time.Time) int64 {
	if at.IsZero() {
		at = time.Now()
	}
	return at.UnixMilli()
}

// LogEvent appends an event; nil data is stored as null.
func (c *Client) LogEvent(sessionID, name string, data map[string]interface{}) error {
	return c.LogEventContext(context.Background(), sessionID, name, data)
}

// LogEventContext is LogEvent with a context.
func (c *Client) LogEventContext(ctx context.Context, sessionID, name string, data map[string]interface{}) error {
	body := map[string]interface{}{"name": name, "data": data}
	return c.post(ctx, sessionPath(oldBase, sessionID, "events"), body, newKey(), &status{})
}

// SendEvent appends an event with a level, labels, an exception or a time of its own; repeating it never stores it
// twice.
func (c *Client) SendEvent(ctx context.Context, sessionID string, event EventRecord) error {
	return c.sendOne(ctx, sessionID, kindEvent, event.stamped())
}
