package datacat

import (
	"time"
)

// UpdateState queues a state patch. This and the other writes return at once: nil, ErrQueueFull, ErrClosed, ErrTooLarge
// or an encoding error. A nil state changes nothing.
func (w *BatchWriter) UpdateState(state map[string]interface{}) error {
	if state == nil {
		return nil
	}
	return w.put(kindState, patch{State: state, At: milliseconds(time.Time{})})
}

// LogEvent queues an event that happened now.
func (w *BatchWriter) LogEvent(name string, data map[string]interface{}) error {
	return w.AddEvent(EventRecord{Name: name, Data: data})
}

// AddEvent queues an event.
func (w *BatchWriter) AddEvent(event EventRecord) error {
	return w.put(kindEvent, event.stamped())
}

// LogException queues err, with the caller's stack, as an event called exception.
func (w *BatchWriter) LogException(err error, data map[string]interface{}) error {
	return w.AddEvent(exceptionEvent(newException(err, 3), data))
}

// LogMetric queues one value.
func (w *BatchWriter) LogMetric(name string, value float64, tags []string) error {
	return w.AddMetric(MetricRecord{Name: name, Value: value, Tags: tags})
}

// AddMetric queues a metric value.
func (w *BatchWriter) AddMetric(metric MetricRecord) error {
	return w.put(kindMetric, metric.stamped())
}

// LogGauge queues the present value of something that goes up and down.
func (w *BatchWriter) LogGauge(name string, value float64, tags []string) error {
	return w.AddMetric(MetricRecord{Name: name, Value: value, Tags: tags, Type: Gauge})
}

// LogCounter queues an increment since the last report.
func (w *BatchWriter) LogCounter(name string, increment float64, tags []string) error {
	return w.AddMetric(MetricRecord{Name: name, Value: increment, Tags: tags, Type: Counter})
}

// LogHistogram adds a sample; the samples of one flush become one stored value.
func (w *BatchWriter) LogHistogram(name string, sample float64, tags []string) error {
	return w.observe(name, sample, tags)
}

// LogTimer queues a duration, in seconds.
func (w *BatchWriter) LogTimer(name string, took time.Duration, tags []string) error {
	return w.AddMetric(timerRecord(name, took, tags))
}

// StartTimer starts measuring; the function it returns queues the time since.
func (w *BatchWriter) StartTimer(name string, tags []string) func() error {
	started := time.Now()
	return func() error { return w.LogTimer(name, time.Since(started), tags) }
}

// End queues the end of the session, behind everything queued before it.
func (w *BatchWriter) End() error {
	return w.put(kindEnd, true)
}
