package datacat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
)

const (
	deepestStack = 100
	mostCauses   = 20
	messageBytes = 20_000
	lineBytes    = 4_000
)

// Exception is what an event says of a failure.
type Exception struct {
	Type       string   `json:"type,omitempty"`
	Message    string   `json:"message,omitempty"`
	Stacktrace []string `json:"stacktrace,omitempty"`
	File       string   `json:"file,omitempty"`
	Line       int      `json:"line,omitempty"`
	Function   string   `json:"function,omitempty"`
}

// NewException describes err with the stack of the caller, innermost call first, then with what it wraps. Its type is
// the first one in the chain that somebody named, because that of fmt.Errorf says nothing.
func NewException(err error) *Exception {
	return newException(err, 3)
}

func newException(err error, skip int) *Exception {
	chain := chainOf(err)
	exception := &Exception{Type: typeOf(chain, err), Message: cut(fmt.Sprint(err), messageBytes)}
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
		line := fmt.Sprintf("%s (%s:%d)", frame.Function, frame.File, frame.Line)
		exception.Stacktrace = append(exception.Stacktrace, cut(line, lineBytes))
	}
	for i := 1; i < len(chain); i++ {
		line := fmt.Sprintf("caused by %T: %v", chain[i], chain[i])
		exception.Stacktrace = append(exception.Stacktrace, cut(line, lineBytes))
	}
	return exception
}

// chainOf lists an error and all that it wraps or joins.
func chainOf(err error) []error {
	var chain []error
	for waiting := []error{err}; len(waiting) > 0 && len(chain) < mostCauses; waiting = waiting[1:] {
		one := waiting[0]
		if one == nil {
			continue
		}
		chain = append(chain, one)
		if joined, ok := one.(interface{ Unwrap() []error }); ok {
			waiting = append(waiting, joined.Unwrap()...)
		} else if cause := errors.Unwrap(one); cause != nil {
			waiting = append(waiting, cause)
		}
	}
	return chain
}

func typeOf(chain []error, err error) string {
	for _, one := range chain {
		name := fmt.Sprintf("%T", one)
		if !strings.HasPrefix(name, "*fmt.") && !strings.HasPrefix(name, "*errors.") {
			return name
		}
	}
	if len(chain) == 0 {
		return fmt.Sprintf("%T", err)
	}
	return fmt.Sprintf("%T", chain[len(chain)-1])
}

// cut is text the server takes: without NUL, and of so many bytes as JSON.
func cut(text string, longest int) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\ufffd"), "\ufffd")
	kept := text
	for {
		encoded, _ := json.Marshal(kept)
		if len(encoded)-2 <= longest {
			break
		}
		kept = strings.ToValidUTF8(kept[:len(kept)*longest/len(encoded)], "")
	}
	if kept == text {
		return text
	}
	return fmt.Sprintf("%s... (%d bytes)", kept, len(text))
}

func exceptionEvent(exception *Exception, data map[string]interface{}) EventRecord {
	all := map[string]interface{}{"type": exception.Type, "message": exception.Message, "traceback": exception.Stacktrace}
	for name, value := range data {
		all[name] = value
	}
	return EventRecord{
		Name: "exception", Data: all, Level: LevelError, Message: exception.Message, Exception: exception,
		Group: cut(exception.Type+" "+exception.Function, 240),
	}
}

// LogException appends err, with the caller's stack, as an event called exception; data is added to its data.
func (c *Client) LogException(ctx context.Context, sessionID string, err error, data map[string]interface{}) error {
	return c.SendEvent(ctx, sessionID, exceptionEvent(newException(err, 3), data))
}
