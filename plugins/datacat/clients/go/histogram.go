package datacat

import (
	"sort"
	"time"
)

// DefaultBuckets are the upper bounds of a histogram's buckets; one more holds what is above them.
var DefaultBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

type bucket struct {
	UpperBound *float64 `json:"le"`
	Count      int      `json:"count"`
}

type distribution struct {
	since  time.Time
	bounds []float64
	counts []int
	count  int
	sum    float64
}

func newDistribution() *distribution {
	bounds := append([]float64(nil), DefaultBuckets...)
	sort.Float64s(bounds)
	return &distribution{since: time.Now(), bounds: bounds, counts: make([]int, len(bounds)+1)}
}

func (d *distribution) add(sample float64) {
	d.counts[sort.SearchFloat64s(d.bounds, sample)]++
	d.count++
	d.sum += sample
}

func (d *distribution) record(name string, tags []string) MetricRecord {
	buckets := make([]bucket, len(d.counts))
	for i, count := range d.counts {
		buckets[i].Count = count
		if i < len(d.bounds) {
			buckets[i].UpperBound = &d.bounds[i]
		}
	}
	return MetricRecord{
		Name: name, Value: d.sum / float64(d.count), Tags: tags, Type: Histogram, Count: d.count, Timestamp: d.since,
		Metadata: map[string]interface{}{"sum": d.sum, "buckets": buckets},
	}
}
