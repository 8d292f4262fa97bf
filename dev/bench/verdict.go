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

func (r *serverResults) Verdicts() []verdict {
	var list []verdict
	for _, of := range []struct {
		claim string
		knows func(priced) bool
	}{
		{"For a visitor who sends no cookie, the middleware costs no more in any situation than the cheapest session or CSRF middleware", func(p priced) bool { return p.cookie == "" }},
		{"For a visitor who comes back with a cookie, likewise", func(p priced) bool { return p.cookie != "" }},
	} {
		var cheapest extreme
		own := make(map[string]float64)
		for _, p := range r.Costs {
			switch {
			case of.knows(p) && p.kind == ours:
				own[p.Name] = p.Added().Median()
			case of.knows(p) && p.kind == guard:
				cheapest.least(p.Name, p.Added().Median())
			}
		}
		list = append(list, judge(of.claim, fmt.Sprintf("%s: %.0f ns", cheapest.name, cheapest.value), own, "%.0f ns", func(ns float64) bool { return ns <= cheapest.value }))
	}
	own := make(map[string]float64)
	for _, t := range r.Throughput {
		if t.kind == ours {
			own[t.Name] = t.Throughput().Median()
		}
	}
	return append(list, judge("The throughput of a server with the middleware is at least 0.98 of the bare one's in any situation", "0.98", own, "%.3f", func(ratio float64) bool { return ratio >= .98 }))
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
	figures := []struct {
		claim, unit string
		of          func(visited) sample
	}{
		{"fewer bytes than each of the others", "%.0f bytes", func(v visited) sample { return v.Bytes }},
		{"less script time than each of the others", "%.1f ms", func(v visited) sample { return v.Script }},
		{"a banner that is painted no later than any other", "%.0f ms", func(v visited) sample { return v.Banner }},
	}
	var list []verdict
	for i, f := range figures {
		worst, best := extreme{}, extreme{}
		for _, v := range r.Sites {
			switch {
			case v.ours:
				worst.most(v.Name, f.of(v).Median())
			case v.banner != "":
				best.least(v.Name, f.of(v).Median())
			}
		}
		list = append(list, verdict{
			"Each of the three ways has " + f.claim,
			worst.value < best.value || i == 2 && worst.value == best.value,
			fmt.Sprintf("%s: "+f.unit+"; %s: "+f.unit, worst.name, worst.value, best.name, best.value),
		})
	}
	shift, violations, stored, clean := 0., 0, 0, ""
	for _, v := range r.Sites {
		switch {
		case v.ours:
			shift = math.Max(shift, v.Shift.Most())
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
