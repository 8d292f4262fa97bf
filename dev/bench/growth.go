package main

import (
	"slices"
	"strconv"
	"time"
)

// A figure shows what a request costs while something grows, by a curve for
// each outcome.
type figure struct {
	of     string // what grows
	curves []curve
}

type curve struct {
	name   string
	x      []int
	points []priced
}

// figures measures growth by the number of declarations, and by the number of
// Set-Cookie lines. The curves of a figure are measured in the same rounds.
func figures(rounds int, each time.Duration) (declarations, lines figure, err error) {
	declarations, err = measure("declarations", []int{1, 10, 100, 1000, 10_000}, rounds, each, map[string]func(int) situation{
		"refused":   func(n int) situation { return situation{declared: n, lines: []string{statisticsLine}} },
		"consented": func(n int) situation { return situation{declared: n, lines: []string{statisticsLine}, consents: true} },
	})
	if err != nil {
		return declarations, lines, err
	}
	lines, err = measure("Set-Cookie lines", []int{0, 1, 5, 10, 20, 30, 40, 50}, rounds, each, map[string]func(int) situation{
		"exempt": func(n int) situation {
			return situation{declared: 10, lines: slices.Repeat([]string{necessaryLine}, n)}
		},
		"refused": func(n int) situation {
			return situation{declared: 10, lines: slices.Repeat([]string{statisticsLine}, n)}
		},
		"consented": func(n int) situation {
			return situation{declared: 10, lines: slices.Repeat([]string{statisticsLine}, n), consents: true}
		},
	})
	return declarations, lines, err
}

func measure(of string, x []int, rounds int, each time.Duration, outcomes map[string]func(int) situation) (figure, error) {
	f := figure{of: of}
	var list []contestant
	for _, name := range []string{"exempt", "refused", "consented"} {
		in, shown := outcomes[name]
		if !shown {
			continue
		}
		f.curves = append(f.curves, curve{name: name, x: x})
		for _, n := range x {
			s := in(n)
			s.name = name + ", " + strconv.Itoa(n)
			c, err := s.contestant()
			if err != nil {
				return f, err
			}
			list = append(list, c)
		}
	}
	points, err := price(list, rounds, each)
	if err != nil {
		return f, err
	}
	for i := range f.curves {
		f.curves[i].points = points[i*len(x) : (i+1)*len(x)]
	}
	return f, nil
}
