package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// A verdict is what must hold, whether it does, and by which figures.
type verdict struct {
	Claim   string
	Holds   bool
	Figures string
}

// A half is a mark: half of what a middleware costs that many sites have, for the situations
// of ours in which we do the like.
type half struct {
	claim, of string
	knows     func(contestant) bool
}

var halves = []half{
	{"A visitor who sends no cookie costs at most half of what scs takes to look for a session", lookedFor, func(c contestant) bool { return c.cookie == "" }},
	{"A visitor whose decision has its signature checked costs at most half of what gorilla/csrf takes to check one", verified, func(c contestant) bool { return c.cookie != "" && !c.form }},
	{"With a form, likewise", formPassed, func(c contestant) bool { return c.cookie != "" && c.form }},
	{"A visitor whose decision is read costs at most half of what scs takes to look a session up", lookedUp, func(c contestant) bool { return c.cookie != "" }},
}

func (r *serverResults) Verdicts() []verdict {
	var list []verdict
	for _, m := range halves {
		most := r.added(m.of) / 2
		own := make(map[string]float64)
		for _, p := range r.Costs {
			if p.kind == ours && m.knows(p.contestant) {
				own[p.Name] = p.Added().Median()
			}
		}
		list = append(list, judge(m.claim, fmt.Sprintf("half of %s: %.0f ns", m.of, most), own, "%.0f ns", func(ns float64) bool { return ns <= most }))
	}
	list = append(list, r.noWorse()...)
	own := make(map[string]float64)
	for _, t := range r.Throughput {
		if t.kind == ours {
			own[t.Name] = t.Throughput().Median()
		}
	}
	return append(list, judge("The throughput of a server with the middleware is at least 0.98 of the bare one's in any situation", "0.98", own, "%.3f", func(ratio float64) bool { return ratio >= .98 }))
}

// added is the median of what a contestant takes beyond its bare handler.
func (r *serverResults) added(name string) float64 {
	i := slices.IndexFunc(r.Costs, func(p priced) bool { return p.Name == name })
	if i < 0 {
		return math.NaN() // no figure keeps to it
	}
	return r.Costs[i].Added().Median()
}

// judge tells of each of ours whether it keeps to the mark.
func judge(claim, mark string, own map[string]float64, form string, keeps func(float64) bool) verdict {
	var kept, missed []string
	for _, name := range slices.Sorted(maps.Keys(own)) {
		figure := fmt.Sprintf("%s "+form, strings.TrimPrefix(name, "consent: "), own[name])
		if keeps(own[name]) {
			kept = append(kept, figure)
		} else {
			missed = append(missed, figure)
		}
	}
	figures := "the mark is " + mark
	if len(kept) > 0 {
		figures += "; kept: " + strings.Join(kept, ", ")
	}
	if len(missed) > 0 {
		figures += "; **missed**: " + strings.Join(missed, ", ")
	}
	return verdict{claim, len(missed) == 0, figures}
}

func (r *visitorResults) Verdicts() []verdict {
	const less, fewer, sooner = "less script time than each of the others", "fewer bytes than each of the others", "a banner that is painted no later than any other"
	list := []verdict{
		r.compare(fewer, "%.0f bytes", false, func(v visited) sample { return v.Bytes }),
		r.compare(less, "%.1f ms", false, func(v visited) sample { return v.Script }),
		r.compare(sooner, "%.0f ms", true, func(v visited) sample { return v.Banner }),
	}
	for i, h := range hardships {
		if len(r.Sites) == 0 || i >= len(r.Sites[len(r.Sites)-1].Hard) {
			break // it was not measured
		}
		if h.slowed > 1 {
			list = append(list, r.compare(less+", "+h.name, "%.1f ms", false, func(v visited) sample { return v.Hard[i].Script }))
		}
		list = append(list,
			r.compare(sooner+", "+h.name, "%.0f ms", true, func(v visited) sample { return v.Hard[i].Banner }),
			r.compare(sooner+" on the next page, "+h.name, "%.0f ms", true, func(v visited) sample { return v.Hard[i].NextBanner }),
		)
	}
	shift, violations, stored, clean := 0., 0, 0, ""
	for _, v := range r.Sites {
		switch {
		case v.ours:
			shift = math.Max(shift, v.Shift.Most())
			for _, h := range v.Hard {
				shift = math.Max(shift, h.Shift.Most())
			}
			violations += len(v.Violations)
			stored += len(v.Readable) + len(v.HTTPOnly)
		case v.banner != "" && len(v.Readable)+len(v.HTTPOnly) == 0:
			clean = v.Name
		}
	}
	alone := "each of the others stores something in one case or both"
	if clean != "" {
		alone = clean + " stores nothing either"
	}
	return append(list,
		verdict{"Each of the three ways has a layout shift of 0", shift == 0, fmt.Sprintf("at most %.4g in any visit", shift)},
		verdict{"Each of the three ways has no axe-core violation", violations == 0, fmt.Sprintf("%d", violations)},
		verdict{"Each of the three ways, and none of the others, stores nothing before the click in both cases", stored == 0 && clean == "", fmt.Sprintf("%d names stored; %s", stored, alone)},
	)
}

// compare has the worst of ours against the best of the others; a figure that is the same for
// both is good enough if equals is true.
func (r *visitorResults) compare(claim, unit string, equals bool, of func(visited) sample) verdict {
	worst, best := extreme{}, extreme{}
	for _, v := range r.Sites {
		switch {
		case v.ours:
			worst.most(v.Name, of(v).Median())
		case v.banner != "":
			best.least(v.Name, of(v).Median())
		}
	}
	return verdict{
		"Each of the three ways has " + claim,
		worst.value < best.value || equals && worst.value == best.value,
		fmt.Sprintf("%s: "+unit+"; %s: "+unit, worst.name, worst.value, best.name, best.value),
	}
}

// An extreme is the largest or the smallest of what it was told.
type extreme struct {
	name  string
	value float64
}

func (e *extreme) most(name string, value float64) {
	if e.name == "" || value > e.value {
		*e = extreme{name, value}
	}
}

func (e *extreme) least(name string, value float64) {
	if e.name == "" || value < e.value {
		*e = extreme{name, value}
	}
}
