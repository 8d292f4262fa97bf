package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// draw draws how often each category was accepted in full, a line for each, day by
// day. Lines differ in colour, in dashes and in the shape of their points.
func draw(stats []ledger.Stat, file string) error {
	if kind := strings.ToLower(filepath.Ext(file)); kind != ".svg" && kind != ".png" {
		return fmt.Errorf("a chart is drawn as .svg or .png, not as %q", kind)
	}
	if len(stats) == 0 {
		return errors.New("there is nothing to draw: no decision is of this period")
	}
	byCategory := make(map[consent.Category]plotter.XYs)
	var categories []consent.Category
	for _, s := range stats {
		if byCategory[s.Category] == nil {
			categories = append(categories, s.Category)
		}
		byCategory[s.Category] = append(byCategory[s.Category], plotter.XY{X: float64(s.Day.Unix()), Y: 100 * s.Rate()})
	}
	slices.Sort(categories)

	p := plot.New()
	p.Title.Text = "Acceptance rate by category"
	p.X.Tick.Marker = plot.TimeTicks{Format: "2006-01-02"}
	p.Y.Label.Text = "% of a day's decisions"
	p.Y.Min, p.Y.Max = 0, 100
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, category := range categories {
		line, points, err := plotter.NewLinePoints(byCategory[category])
		if err != nil {
			return err
		}
		line.Color, line.Dashes, line.Width = plotutil.Color(i), plotutil.Dashes(i), vg.Points(1.5)
		points.Color, points.Shape = plotutil.Color(i), plotutil.Shape(i)
		p.Add(line, points)
		p.Legend.Add(string(category), line, points)
	}
	p.Y.Min, p.Y.Max = 0, 100
	return p.Save(24*vg.Centimeter, 12*vg.Centimeter, file)
}
