// Package chart draws lines as SVG: for light and dark pages, for readers who see few
// colours, and for those who have the picture read to them.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
	"strings"
)

// A Chart is some lines over one X axis. Its Y axis begins at 0.
type Chart struct {
	Title, X, Y string // the names of the chart and of its axes
	Top         float64
	Ticks       []Tick // of the X axis; at least one. Those that have no room are left out
	Lines       []Line // up to [MaxLines] can be told apart without colours
	Note        string // stands at the foot; "" for none
}

// MaxLines is how many lines differ in dashes or in the shape of their points.
const MaxLines = 16

// A Tick is a place on the X axis that has a label.
type Tick struct {
	X     float64
	Label string
}

// A Line joins points, which are ordered by X. Its name stands under the chart.
type Line struct {
	Name   string
	Points []Point
}

// A Point is one measurement.
type Point struct{ X, Y float64 }

const (
	width                    = 960.0
	left, right, top, bottom = 70.0, 890.0, 80.0, 400.0
	lineHeight               = 22.0
	sample                   = 50.0 // how much of a line stands before its name
)

// Each colour has a contrast of 3 to 1 or more to its ground, as graphics need it (WCAG 2.2,
// success criterion 1.4.11).
var (
	onLight = []string{"#0072b2", "#b34a00", "#00775a", "#a3367f", "#5c5c5c", "#7a5c00", "#4b3fb5"}
	onDark  = []string{"#56b4e9", "#ff9e4a", "#2fd6a3", "#f08fcc", "#c8c8c8", "#e6c34d", "#b3a6ff"}
	dashes  = []string{"none", "8 4", "2 3", "8 3 2 3"}
	shapes  = []string{"m-4-4h8v8h-8z", "m0-5 5 9h-10z", "m0-6 6 6-6 6-6-6z", "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"}
)

// SVG returns the chart as a file that needs nothing else.
func (c Chart) SVG() []byte {
	d := drawing{Chart: c}
	d.low, d.high = c.span()
	d.place()
	d.head()
	d.axes()
	for i, line := range c.Lines {
		d.line(i, line)
	}
	d.b.WriteString("</svg>\n")
	return d.b.Bytes()
}

// A drawing is a chart while it is drawn.
type drawing struct {
	Chart
	b         bytes.Buffer
	low, high float64
	title     []string
	shift     float64 // by how much a title of several lines moves everything down
	names     [][]string
	at        []Point // where the names stand
	note      []string
	noteAt    float64
	height    float64
}

// place finds a place for all that has no fixed one.
func (d *drawing) place() {
	d.title = wrap(d.Title, right-left)
	d.shift = lineHeight * float64(len(d.title)-1)
	widest := 0.0
	for _, line := range d.Lines {
		rows := wrap(line.Name, right-left-sample)
		d.names = append(d.names, rows)
		for _, row := range rows {
			widest = max(widest, widthOf(row))
		}
	}
	column := widest + sample + 30
	columns := max(1, int((right-left+30)/column))
	y := d.y(0) + 75
	for i := 0; i < len(d.names); i += columns {
		rows := 1
		for j := i; j < min(i+columns, len(d.names)); j++ {
			d.at = append(d.at, Point{left + float64(j-i)*column, y})
			rows = max(rows, len(d.names[j]))
		}
		y += lineHeight * float64(rows)
	}
	if d.Note != "" {
		d.note, d.noteAt = wrap(d.Note, right-left), y+5
		y += 5 + lineHeight*float64(len(d.note))
	}
	d.height = y
}

func (d *drawing) x(v float64) float64 { return left + (right-left)*(v-d.low)/(d.high-d.low) }
func (d *drawing) y(v float64) float64 { return d.shift + bottom - (bottom-top)*v/d.Top }

func (d *drawing) text(x, y float64, anchor, s string) {
	fmt.Fprintf(&d.b, "<text class='t' x='%.1f' y='%.1f' text-anchor='%s' fill='#1a1a1a'>%s</text>\n", x, y, anchor, html.EscapeString(s))
}

func (d *drawing) head() {
	fmt.Fprintf(&d.b, "<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-labelledby='title desc' width='%.0f' height='%.0f' viewBox='0 0 %[1]f %[2]f' font-family='sans-serif' font-size='14'>\n", width, d.height)
	fmt.Fprintf(&d.b, "<title id='title'>%s</title>\n<desc id='desc'>%s</desc>\n", html.EscapeString(d.Title), html.EscapeString(d.describe()))
	d.b.WriteString("<style>@media (prefers-color-scheme: dark) { .ground { fill: #1b1b1f } .t { fill: #eee } .grid { stroke: #555 } .axis { stroke: #aaa }")
	for i, colour := range onDark {
		fmt.Fprintf(&d.b, " .s%d { stroke: %s } .f%[1]d { fill: %[2]s }", i, colour)
	}
	d.b.WriteString(" }</style>\n<rect class='ground' width='100%' height='100%' fill='#fff'/>\n")
}

// describe says in words what the lines show.
func (d *drawing) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, by %s.", d.Y, d.X)
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	for _, line := range d.Lines {
		if len(line.Points) == 0 {
			continue
		}
		low, high := line.Points[0].Y, line.Points[0].Y
		for _, p := range line.Points {
			low, high = min(low, p.Y), max(high, p.Y)
		}
		fmt.Fprintf(&b, " %s: first %s, last %s, lowest %s, highest %s.", line.Name,
			number(line.Points[0].Y), number(line.Points[len(line.Points)-1].Y), number(low), number(high))
	}
	if d.Note != "" {
		b.WriteString(" " + d.Note)
	}
	return b.String()
}

func (d *drawing) axes() {
	for i, row := range d.title {
		d.text((left+right)/2, 28+lineHeight*float64(i), "middle", row)
	}
	d.text(left, d.y(d.Top)-16, "start", d.Y)
	d.text((left+right)/2, d.y(0)+44, "middle", d.X)
	for step := range 6 {
		v := d.Top * float64(step) / 5
		fmt.Fprintf(&d.b, "<path class='grid' d='M%.1f %.1fH%.1f' stroke='#ccc'/>\n", left, d.y(v), right)
		d.text(left-8, d.y(v)+5, "end", strconv.FormatFloat(v, 'g', 3, 64))
	}
	free := 0.0 // from where on a label has room
	for _, tick := range d.Ticks {
		x, half := d.x(tick.X), widthOf(tick.Label)/2
		if x-half < free || x+half > width {
			continue
		}
		free = x + half + 10
		fmt.Fprintf(&d.b, "<path class='axis' d='M%.1f %.1fv6' stroke='#666'/>\n", x, d.y(0))
		d.text(x, d.y(0)+22, "middle", tick.Label)
	}
	for row, text := range d.note {
		d.text(left, d.noteAt+5+lineHeight*float64(row), "start", text)
	}
}

// line draws a line, its points, and both once more before its name.
func (d *drawing) line(i int, line Line) {
	colour, dash, shape := i%len(onLight), dashes[i%len(dashes)], shapes[(i+i/len(dashes))%len(shapes)]
	at := d.at[i]
	var way, marks strings.Builder
	fmt.Fprintf(&way, "M%.1f %.1fh40", at.X, at.Y)
	fmt.Fprintf(&marks, "M%.1f %.1f%s", at.X+20, at.Y, shape)
	for j, p := range line.Points {
		fmt.Fprintf(&way, "%c%.1f %.1f", "ML"[min(j, 1)], d.x(p.X), d.y(p.Y))
		if j%(len(line.Points)/40+1) == 0 { // more shapes would touch each other
			fmt.Fprintf(&marks, "M%.1f %.1f%s", d.x(p.X), d.y(p.Y), shape)
		}
	}
	fmt.Fprintf(&d.b, "<path class='s%d' d='%s' stroke='%s' stroke-dasharray='%s' stroke-width='1.5' fill='none'/>\n<path class='f%[1]d' d='%[5]s' fill='%[3]s'/>\n",
		colour, &way, onLight[colour], dash, &marks)
	for row, text := range d.names[i] {
		d.text(at.X+sample, at.Y+5+lineHeight*float64(row), "start", text)
	}
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
