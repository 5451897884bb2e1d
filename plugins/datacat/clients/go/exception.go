package client

import (
	"context"
	"fmt"
	"runtime"
)

const deepestStack = 100

// Exception is what an event says of a failure.
type Exception struct {
	Type       string   `json:"type,omitempty"`
	Message    string   `json:"message,omitempty"`
	Stacktrace []string `json:"stacktrace,omitempty"`
	File       string   `json:"file,omitempty"`
	Line       int      `json:"line,omitempty"`
	Function   string   `json:"function,omitempty"`
}

// NewException describes err with the stack of the caller, innermost call first.
func NewException(err error) *Exception {
	return newException(err, 3)
}

func newException(err error, skip int) *Exception {
	exception := &Exception{Type: fmt.Sprintf("%T", err), Message: fmt.Sprint(err)}
	counters := make([]uintptr, deepestStack)
	frames := runtime.CallersFrames(counters[:runtime.Callers(skip, counters)])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if frame.Function == "" {
			continue
		}
		if exception.Function == "" {
			exception.File, exception.Line, exception.Function = frame.File, frame.Line, frame.Function
		}
		exception.Stacktrace = append(exception.Stacktrace, fmt.Sprintf("%s (%s:%d)", frame.Function, frame.File, frame.Line))
	}
	return exception
}

func exceptionEvent(exception *Exception, data map[string]interface{}) EventRecord {
	all := map[string]interface{}{"type": exception.Type, "message": exception.Message, "traceback": exception.Stacktrace}
	for name, value := range data {
		all[name] = value
	}
	return EventRecord{Name: "exception", Data: all, Level: LevelError, Message: exception.Message, Exception: exception}
}

// LogException appends err, with the caller's stack, as an event called exception; data is added to its data.
func (c *Client) LogException(ctx context.Context, sessionID string, err error, data map[string]interface{}) error {
	return c.SendEvent(ctx, sessionID, exceptionEvent(newException(err, 3), data))
}
