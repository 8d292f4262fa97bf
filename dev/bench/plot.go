package main

import (
	"bytes"
	"image/color"
	"os"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// colours are told apart by readers who see few of them, and so are the marks.
var (
	colours = []color.Color{color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0x66, 0x66, 0x66, 0xff}}
	marks   = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}}
)

// draw writes a figure to a PNG file: the median of each point, with its
// quartiles. The bare handler is the last curve.
func (f figure) draw(file string, logarithmic bool) error {
	p := plot.New()
	p.X.Label.Text = f.of
	p.Y.Label.Text = "ns a request"
	p.Y.Min = 0
	p.Y.Tick.Marker = plot.TickerFunc(wholeTicks)
	for _, text := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		text.Variant = "Sans"
	}
	p.X.Padding, p.Y.Padding = vg.Points(4), vg.Points(4)
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	if logarithmic {
		p.X.Scale = plot.LogScale{}
	}
	bare := f.curves[0]
	var ticks plot.ConstantTicks
	for _, x := range bare.x {
		ticks = append(ticks, plot.Tick{Value: float64(x), Label: strconv.Itoa(x)})
	}
	p.X.Tick.Marker = ticks
	for i, c := range append(f.curves, curve{name: "bare handler", x: bare.x, points: bare.points}) {
		line := intervals{XYs: make(plotter.XYs, len(c.x)), YErrors: make(plotter.YErrors, len(c.x))}
		for j, point := range c.points {
			ns := point.Cost.NS
			if i == len(f.curves) {
				ns = point.alone.NS
			}
			line.XYs[j].X, line.XYs[j].Y = float64(c.x[j]), ns.Median()
			line.YErrors[j].Low, line.YErrors[j].High = ns.Median()-ns.quantile(.25), ns.quantile(.75)-ns.Median()
		}
		if err := line.addTo(p, c.name, colours[i], marks[i]); err != nil {
			return err
		}
	}
	p.Y.Max *= 1.3 // room for the legend
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(16*vg.Centimeter, 10*vg.Centimeter), vgimg.UseDPI(144))}
	p.Draw(draw.Crop(draw.New(canvas), 0, -vg.Centimeter/2, 0, 0)) // room for half of the last label
	var picture bytes.Buffer
	if _, err := canvas.WriteTo(&picture); err != nil {
		return err
	}
	return os.WriteFile(file, picture.Bytes(), 0o644)
}

// wholeTicks labels ticks without decimals, since a nanosecond has none.
func wholeTicks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'f', 0, 64)
		}
	}
	return ticks
}

type intervals struct {
	plotter.XYs
	plotter.YErrors
}

func (v intervals) addTo(p *plot.Plot, name string, colour color.Color, mark draw.GlyphDrawer) error {
	line, points, err := plotter.NewLinePoints(v)
	if err != nil {
		return err
	}
	quartiles, err := plotter.NewYErrorBars(v)
	if err != nil {
		return err
	}
	line.Color, points.Color, quartiles.Color = colour, colour, colour
	points.Shape = mark
	p.Add(line, points, quartiles)
	p.Legend.Add(name, line, points)
	return nil
}
