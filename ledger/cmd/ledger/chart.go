package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/internal/chart"
)

// checkChart says why there can be no chart, before anything is counted.
func checkChart(file string, g ledger.Grouping) error {
	kind := strings.ToLower(filepath.Ext(file))
	switch {
	case file == "":
		return nil
	case kind != ".svg":
		return fmt.Errorf("a chart is drawn as .svg, not as %q: %w", kind, errUsage)
	case g.Span() == "":
		return fmt.Errorf("a chart shows how something changes: -by needs day, week or month: %w", errUsage)
	default:
		return nil
	}
}

// A series is a line before it is drawn.
type series struct {
	name    string
	decided int64
	points  []chart.Point
}

// draw draws how often everything was accepted, by time: a line for each group.
func draw(stats []ledger.Stat, g ledger.Grouping, in *zone, file string) error {
	if len(stats) == 0 {
		return errors.New("there is nothing to draw: no decision is of this period")
	}
	span := g.Span()
	c := chart.Chart{Title: "Acceptance rate" + apart(g), X: fmt.Sprintf("%s (%s)", span, in), Y: fmt.Sprintf("%% of a %s's decisions", span), Top: 100}
	byName := make(map[string]*series)
	var all []*series
	for _, s := range stats {
		at := float64(s.Start.Unix())
		if len(c.Ticks) == 0 || c.Ticks[len(c.Ticks)-1].X != at {
			c.Ticks = append(c.Ticks, chart.Tick{X: at, Label: label(span, s)})
		}
		name := nameOf(g, s)
		if byName[name] == nil {
			byName[name] = &series{name: name}
			all = append(all, byName[name])
		}
		byName[name].decided += s.Decided
		byName[name].points = append(byName[name].points, chart.Point{X: at, Y: 100 * s.Rate()})
	}
	if left := len(all) - chart.MaxLines; left > 0 {
		slices.SortStableFunc(all, func(a, b *series) int { return cmp.Compare(b.decided, a.decided) })
		all = all[:chart.MaxLines]
		c.Note = fmt.Sprintf("The %d lines with the most decisions; %d more are in the table.", len(all), left)
	}
	slices.SortFunc(all, func(a, b *series) int { return cmp.Compare(a.name, b.name) })
	for _, s := range all {
		c.Lines = append(c.Lines, chart.Line{Name: s.name, Points: s.points})
	}
	return os.WriteFile(file, c.SVG(), 0o644)
}

// apart says by what the lines differ.
func apart(g ledger.Grouping) string {
	var words []string
	for _, d := range g.By {
		if d != g.Span() {
			words = append(words, string(d))
		}
	}
	switch len(words) {
	case 0:
		return ""
	case 1:
		return " by " + words[0]
	default:
		return " by " + strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
	}
}

// nameOf returns what the line of a group is called.
func nameOf(g ledger.Grouping, s ledger.Stat) string {
	var words []string
	for _, d := range g.By {
		if d != g.Span() {
			words = append(words, cmp.Or(label(d, s), "(none)"))
		}
	}
	if len(words) == 0 {
		return "all decisions"
	}
	return strings.Join(words, ", ")
}
