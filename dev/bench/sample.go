package main

import (
	"fmt"
	"slices"
)

// A sample is what was measured of one thing, once a round.
type sample []float64

// quantile returns what a share of the sample is not above, between two
// neighbours in proportion.
func (s sample) quantile(share float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	at := share * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Median is in the middle of the sample.
func (s sample) Median() float64 { return s.quantile(.5) }

// Most is the largest of the sample.
func (s sample) Most() float64 { return s.quantile(1) }

// over tells the median and, in brackets, the quartiles, in the form of a verb.
func (s sample) over(form string) string {
	return fmt.Sprintf(form+" ("+form+" to "+form+")", s.Median(), s.quantile(.25), s.quantile(.75))
}
