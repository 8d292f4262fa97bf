// Package chart draws lines as SVG.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
)

// A Chart is some lines over one X axis. Its Y axis begins at 0.
type Chart struct {
	Title, X, Y string // the names of the chart and of its axes
	Top         float64
	Ticks       []Tick // of the X axis; at least one
	Lines       []Line
}

// A Tick is a place on the X axis that has a label.
type Tick struct {
	X     float64
	Label string
}

// A Line joins points. Its name stands under the chart.
type Line struct {
	Name   string
	Points []Point
}

// A Point is one measurement.
type Point struct{ X, Y float64 }

const left, right, top, bottom = 60.0, 740.0, 70.0, 360.0

// Lines differ in colour, in dashes and in the shape of their points, so that a reader
// who sees few colours can tell them apart.
var (
	colours = []string{"#0072b2", "#d55e00", "#009e73", "#aa4499", "#666666", "#a07000"}
	dashes  = []string{"none", "8 4", "2 3", "8 3 2 3"}
	shapes  = []string{"m-4-4h8v8h-8z", "m0-5 5 9h-10z", "m0-6 6 6-6 6-6-6z", "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"}
)

// SVG returns the chart as a file that needs nothing else.
func (c Chart) SVG() []byte {
	low, high := c.span()
	x := func(v float64) float64 { return left + (right-left)*(v-low)/(high-low) }
	y := func(v float64) float64 { return bottom - (bottom-top)*v/c.Top }
	var b bytes.Buffer
	text := func(x, y float64, anchor, s string) {
		fmt.Fprintf(&b, "<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>\n", x, y, anchor, html.EscapeString(s))
	}
	height := bottom + 65 + 20*float64(len(c.Lines))
	fmt.Fprintf(&b, "<svg xmlns='http://www.w3.org/2000/svg' width='800' height='%.0f' viewBox='0 0 800 %[1]f' font-family='sans-serif' font-size='14'>\n", height)
	b.WriteString("<rect width='100%' height='100%' fill='white'/>\n")
	text((left+right)/2, 26, "middle", c.Title)
	text(left, top-16, "start", c.Y)
	text((left+right)/2, bottom+42, "middle", c.X)
	for step := range 6 {
		v := c.Top * float64(step) / 5
		fmt.Fprintf(&b, "<path d='M%.1f %.1fH%.1f' stroke='#ccc'/>\n", left, y(v), right)
		text(left-8, y(v)+5, "end", strconv.FormatFloat(v, 'g', 3, 64))
	}
	for _, tick := range c.Ticks {
		fmt.Fprintf(&b, "<path d='M%.1f %.1fv6' stroke='#666'/>\n", x(tick.X), bottom)
		text(x(tick.X), bottom+22, "middle", tick.Label)
	}
	for i, line := range c.Lines {
		under := bottom + 65 + 20*float64(i)
		colour, dash, shape := colours[i%len(colours)], dashes[i%len(dashes)], shapes[i%len(shapes)]
		way, marks := fmt.Sprintf("M%.1f %.1fh40", left, under), fmt.Sprintf("M%.1f %.1f%s", left+20, under, shape)
		for j, p := range line.Points {
			way += fmt.Sprintf("%c%.1f %.1f", "ML"[min(j, 1)], x(p.X), y(p.Y))
			if j%(len(line.Points)/40+1) == 0 { // more shapes would touch each other
				marks += fmt.Sprintf("M%.1f %.1f%s", x(p.X), y(p.Y), shape)
			}
		}
		fmt.Fprintf(&b, "<path d='%s' stroke='%s' stroke-dasharray='%s' stroke-width='1.5' fill='none'/>\n<path d='%s' fill='%[2]s'/>\n", way, colour, dash, marks)
		text(left+50, under+5, "start", line.Name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// span returns the lowest and the highest X of ticks and points.
func (c Chart) span() (low, high float64) {
	low = c.Ticks[0].X
	high = low
	for _, tick := range c.Ticks {
		low, high = min(low, tick.X), max(high, tick.X)
	}
	for _, line := range c.Lines {
		for _, p := range line.Points {
			low, high = min(low, p.X), max(high, p.X)
		}
	}
	if low == high {
		high++ // all in one place
	}
	return low, high
}
