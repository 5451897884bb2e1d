package datacat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

type kind int

const (
	kindState kind = iota
	kindEvent
	kindMetric
	kindEnd
)

var kindNames = [...]string{kindState: "states", kindEvent: "events", kindMetric: "metrics", kindEnd: "end"}

type entry struct {
	kind kind
	text json.RawMessage
}

type patch struct {
	State map[string]interface{} `json:"state"`
	At    int64                  `json:"timestamp"`
}

type batch struct {
	key     string
	entries []entry
}

type stored struct {
	status
	Accepted  *int  `json:"accepted"`
	Duplicate *bool `json:"duplicate"`
}

func (s *stored) valid() bool { return s.status.valid() && s.Accepted != nil && s.Duplicate != nil }

func encode(kind kind, item interface{}) (entry, error) {
	text, err := json.Marshal(item)
	if err != nil {
		return entry{}, fmt.Errorf("datacat: encoding: %w", err)
	}
	return entry{kind: kind, text: text}, nil
}

func (b batch) body() []byte {
	var body bytes.Buffer
	fmt.Fprintf(&body, `{"key":%q`, b.key)
	for kind, name := range kindNames {
		opened := false
		for _, e := range b.entries {
			if int(e.kind) != kind {
				continue
			}
			if e.kind == kindEnd {
				body.WriteString(`,"end":true`)
				break
			}
			if opened {
				body.WriteByte(',')
			} else {
				fmt.Fprintf(&body, `,%q:[`, name)
			}
			opened = true
			body.Write(e.text)
		}
		if opened {
			body.WriteByte(']')
		}
	}
	body.WriteByte('}')
	return body.Bytes()
}

// halves splits a batch; keys derived from its own make the same split repeatable after a lost answer.
func (b batch) halves() [2]batch {
	middle := len(b.entries) / 2
	return [2]batch{{b.key + "0", b.entries[:middle]}, {b.key + "1", b.entries[middle:]}}
}

func (c *Client) sendBatch(ctx context.Context, sessionID string, b batch, retries int) (stored, error) {
	var answer stored
	r := request{
		method: http.MethodPost, path: sessionPath(newBase, sessionID, "batch"),
		body: b.body(), key: b.key, retries: retries,
	}
	err := c.send(ctx, r, &answer)
	return answer, err
}

func (c *Client) sendOne(ctx context.Context, sessionID string, kind kind, item interface{}) error {
	e, err := encode(kind, item)
	if err != nil {
		return err
	}
	_, err = c.sendBatch(ctx, sessionID, batch{key: newKey(), entries: []entry{e}}, c.retries)
	return err
}
