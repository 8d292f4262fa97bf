package main

import "fmt"

// was is what a row of ours took in the run of 25 November 2026: its time as a multiple of
// what a context and a writer took, since the machine may be another now, and its bytes,
// of which a request's state is the most. All were measured in a writer of others, which cost
// no more then than a server's.
var was = map[string]struct {
	times float64
	bytes int64
}{
	"consent: no cookie":                        {1.84, 464},
	"consent: exempt":                           {3.09, 464},
	"consent: refused":                          {3.69, 464},
	"consent: consented":                        {9.73, 592},
	"consent: no cookie, 10,000 declarations":   {1.87, 464},
	"consent: refused, 10,000 declarations":     {3.67, 464},
	"consent: consented, 10,000 declarations":   {10.65, 592},
	"consent: refused, report-only":             {3.49, 464},
	"consent: refused, observing":               {5.39, 616},
	"consent: no cookie, in a writer of others": {1.84, 464},
	"consent: refused, in a writer of others":   {3.69, 464},
}

// noWorse compares each row with what it was.
func (r *serverResults) noWorse() []verdict {
	times, bytes := make(map[string]float64), make(map[string]float64)
	for _, p := range r.Costs {
		if before, known := was[p.Name]; known {
			times[p.Name] = p.Added().Median() / r.added(floor) / before.times
			bytes[p.Name] = float64(p.Cost.Bytes - before.bytes)
		}
	}
	return []verdict{
		judge("No row takes longer than on 25 November 2026, as a multiple of what a context and a writer take", fmt.Sprintf("%.1f, with a tenth for chance", atMost), times, "%.2f", func(ratio float64) bool { return ratio <= atMost }),
		judge("No row takes more bytes than then", "0", bytes, "%+.0f", func(more float64) bool { return more <= 0 }),
	}
}

const atMost = 1.1
