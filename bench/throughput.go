package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A raced contestant is one with what its server and that of its bare handler
// answered, in requests a second, pair by pair.
type raced struct {
	contestant
	Bare, Wrapped sample
}

// Ratio is what the middleware leaves of the bare server's throughput, pair by
// pair.
func (r raced) Ratio() sample {
	ratio := make(sample, len(r.Bare))
	for i := range ratio {
		ratio[i] = r.Wrapped[i] / r.Bare[i]
	}
	return ratio
}

// race has two servers for each contestant, one of the bare handler and one of
// the wrapped, answer one after the other for a while. The next pair begins
// with the other one. A round holds a pair of each contestant.
func race(list []contestant, rounds int, each time.Duration) (result []raced, err error) {
	var loads []*load // bare and wrapped, of each contestant
	defer func() {
		for _, l := range loads {
			err = errors.Join(err, l.close())
		}
	}()
	for _, c := range list {
		for _, handler := range []http.Handler{c.bare, c.wrapped} {
			l, err := newLoad(handler, c.request())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			loads = append(loads, l)
		}
	}
	result = make([]raced, len(list))
	for round := range rounds {
		for i, c := range list {
			var answered [2]float64
			for turn := range 2 {
				side := (turn + round) % 2
				if answered[side], err = loads[2*i+side].run(each); err != nil {
					return nil, fmt.Errorf("%s: %w", c.Name, err)
				}
			}
			result[i].contestant = c
			result[i].Bare = append(result[i].Bare, answered[0])
			result[i].Wrapped = append(result[i].Wrapped, answered[1])
		}
	}
	return result, nil
}
