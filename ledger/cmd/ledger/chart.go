package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/internal/chart"
)

// draw draws how often each category was accepted in full, a line for each, day by
// day.
func draw(stats []ledger.Stat, file string) error {
	if kind := strings.ToLower(filepath.Ext(file)); kind != ".svg" {
		return fmt.Errorf("a chart is drawn as .svg, not as %q", kind)
	}
	if len(stats) == 0 {
		return errors.New("there is nothing to draw: no decision is of this period")
	}
	byCategory := make(map[consent.Category][]chart.Point)
	var categories []consent.Category
	for _, s := range stats {
		if byCategory[s.Category] == nil {
			categories = append(categories, s.Category)
		}
		byCategory[s.Category] = append(byCategory[s.Category], chart.Point{X: float64(s.Day.Unix()), Y: 100 * s.Rate()})
	}
	slices.Sort(categories)

	c := chart.Chart{Title: "Acceptance rate by category", X: "day (UTC)", Y: "% of a day's decisions", Top: 100}
	first, last := stats[0].Day, stats[len(stats)-1].Day
	days := int(last.Sub(first)/(24*time.Hour)) + 1
	for day := first; !day.After(last); day = day.AddDate(0, 0, (days+6)/7) { // at most 7 labels have room
		c.Ticks = append(c.Ticks, chart.Tick{X: float64(day.Unix()), Label: day.Format(time.DateOnly)})
	}
	for _, category := range categories {
		c.Lines = append(c.Lines, chart.Line{Name: string(category), Points: byCategory[category]})
	}
	return os.WriteFile(file, c.SVG(), 0o644)
}
