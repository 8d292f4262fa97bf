package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A raced contestant is one with the pace of its server and that of its bare
// handler's, pair by pair.
type raced struct {
	contestant
	bare, wrapped []pace
}

// Throughput is what the middleware leaves of the bare server's, pair by pair.
func (r raced) Throughput() sample {
	return r.ratio(func(p pace) float64 { return p.perSecond })
}

// ByProcessor is the throughput where only time counts in which the process
// had a processor, so that others on the machine disturb it less.
func (r raced) ByProcessor() sample {
	return r.ratio(func(p pace) float64 { return p.perProcessorSecond })
}

func (r raced) ratio(of func(pace) float64) sample {
	ratio := make(sample, len(r.bare))
	for i := range ratio {
		ratio[i] = of(r.wrapped[i]) / of(r.bare[i])
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
			l, err := newLoad(c.served(handler), c.request())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			loads = append(loads, l)
		}
	}
	result = make([]raced, len(list))
	for round := range rounds {
		for i, c := range list {
			var answered [2]pace
			for turn := range 2 {
				side := (turn + round) % 2
				if answered[side], err = loads[2*i+side].run(each); err != nil {
					return nil, fmt.Errorf("%s: %w", c.Name, err)
				}
			}
			result[i].contestant = c
			result[i].bare = append(result[i].bare, answered[0])
			result[i].wrapped = append(result[i].wrapped, answered[1])
		}
	}
	return result, nil
}

// served gives the handler a writer that nobody knows if that is the contestant's situation,
// as a middleware outside would.
func (c contestant) served(handler http.Handler) http.Handler {
	if !c.foreign {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}
