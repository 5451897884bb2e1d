package datacat

import (
	"context"
	"time"
)

// Metric is a metric value as the server returns it.
type Metric struct {
	Timestamp time.Time `json:"timestamp"`
	Name      string    `json:"name"`
	Value     float64   `json:"value"`
	Tags      []string  `json:"tags,omitempty"`
}

// MetricType says how the values of a metric are to be read.
type MetricType string

// The types the server knows.
const (
	Gauge     MetricType = "gauge"
	Counter   MetricType = "counter"
	Histogram MetricType = "histogram"
	Timer     MetricType = "timer"
)

// MetricRecord is a metric value to write; only Name is required.
type MetricRecord struct {
	Name  string     `json:"name"`
	Value float64    `json:"value"`
	Tags  []string   `json:"tags,omitempty"`
	Type  MetricType `json:"type,omitempty"`
	Unit  string     `json:"unit,omitempty"`
	// Count is the samples of a histogram or the iterations of a timer.
	Count    int                    `json:"count,omitempty"`
	Metadata map[string]interface{} `json:"metadata,omitempty"`
	// Timestamp is when it was measured; now when zero.
	Timestamp time.Time `json:"-"`
}

type stampedMetric struct {
	MetricRecord
	At int64 `json:"timestamp"`
}

func (m MetricRecord) stamped() stampedMetric {
	return stampedMetric{MetricRecord: m, At: milliseconds(m.Timestamp)}
}

func timerRecord(name string, took time.Duration, tags []string) MetricRecord {
	return MetricRecord{Name: name, Value: took.Seconds(), Tags: tags, Type: Timer, Unit: "s", Count: 1}
}

// LogMetric appends one value.
func (c *Client) LogMetric(sessionID, name string, value float64, tags []string) error {
	return c.LogMetricContext(context.Background(), sessionID, name, value, tags)
}

// LogMetricContext is LogMetric with a context.
func (c *Client) LogMetricContext(ctx context.Context, sessionID, name string, value float64, tags []string) error {
	body := map[string]interface{}{"name": name, "value": value, "tags": tags}
	return c.post(ctx, sessionPath(oldBase, sessionID, "metrics"), body, newKey(), &status{})
}

// SendMetric appends a value with a type, a unit or a time of its own; repeating it never stores it twice.
func (c *Client) SendMetric(ctx context.Context, sessionID string, metric MetricRecord) error {
	return c.sendOne(ctx, sessionID, kindMetric, metric.stamped())
}

// LogGauge appends the present value of something that goes up and down.
func (c *Client) LogGauge(ctx context.Context, sessionID, name string, value float64, tags []string) error {
	return c.SendMetric(ctx, sessionID, MetricRecord{Name: name, Value: value, Tags: tags, Type: Gauge})
}

// LogCounter appends an increment since the last report.
func (c *Client) LogCounter(ctx context.Context, sessionID, name string, increment float64, tags []string) error {
	return c.SendMetric(ctx, sessionID, MetricRecord{Name: name, Value: increment, Tags: tags, Type: Counter})
}

// LogHistogram appends samples as one value in DefaultBuckets; no samples append nothing.
func (c *Client) LogHistogram(ctx context.Context, sessionID, name string, samples []float64, tags []string) error {
	if len(samples) == 0 {
		return nil
	}
	h := newDistribution()
	for _, sample := range samples {
		h.add(sample)
	}
	return c.SendMetric(ctx, sessionID, h.record(name, tags))
}

// LogTimer appends a duration, in seconds.
func (c *Client) LogTimer(ctx context.Context, sessionID, name string, took time.Duration, tags []string) error {
	return c.SendMetric(ctx, sessionID, timerRecord(name, took, tags))
}

// StartTimer starts measuring; the function it returns appends the time since.
func (c *Client) StartTimer(ctx context.Context, sessionID, name string, tags []string) func() error {
	started := time.Now()
	return func() error { return c.LogTimer(ctx, sessionID, name, time.Since(started), tags) }
}
