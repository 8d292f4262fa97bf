package chart_test

import (
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger/internal/chart"
)

// crowded is a chart of many days, many lines and long names.
func crowded(lines, days int, name string) chart.Chart {
	c := chart.Chart{Title: "Acceptance rate by " + strings.Repeat("a long title, ", 12), X: "day (UTC)", Y: "% of a day's decisions", Top: 100, Note: strings.Repeat("note ", 60)}
	for day := range days {
		c.Ticks = append(c.Ticks, chart.Tick{X: float64(day), Label: fmt.Sprintf("2026-03-%02d", day%31+1)})
	}
	for i := range lines {
		line := chart.Line{Name: fmt.Sprintf("%s %d", name, i)}
		for day := range days {
			line.Points = append(line.Points, chart.Point{X: float64(day), Y: float64((day*7 + i*13) % 101)})
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

type picture struct {
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Role   string  `xml:"role,attr"`
	Label  string  `xml:"aria-labelledby,attr"`
	Title  struct {
		ID   string `xml:"id,attr"`
		Text string `xml:",chardata"`
	} `xml:"title"`
	Desc struct {
		ID   string `xml:"id,attr"`
		Text string `xml:",chardata"`
	} `xml:"desc"`
	Style string `xml:"style"`
	Texts []struct {
		X      float64 `xml:"x,attr"`
		Y      float64 `xml:"y,attr"`
		Anchor string  `xml:"text-anchor,attr"`
		Text   string  `xml:",chardata"`
	} `xml:"text"`
	Paths []struct {
		Class  string `xml:"class,attr"`
		D      string `xml:"d,attr"`
		Dashes string `xml:"stroke-dasharray,attr"`
	} `xml:"path"`
}

func drawn(t *testing.T, c chart.Chart) (p picture) {
	t.Helper()
	require.NoError(t, xml.Unmarshal(c.SVG(), &p))
	return p
}

// A browser's sans-serif letter of 14 pixels is 8.5 pixels wide on average, and a Chinese
// one 14.
func widthOf(s string) (w float64) {
	for _, r := range s {
		if w += 8.5; r > 0x2E80 {
			w += 5.5
		}
	}
	return w
}

func TestNothingOfAChartIsCutOff(t *testing.T) {
	for name, c := range map[string]chart.Chart{
		"one day":     crowded(2, 1, "statistics"),
		"three years": crowded(3, 1095, "audience-measurement"),
		"many lines":  crowded(16, 30, "third-party, "+strings.Repeat("A Provider With A Long Name ", 6)),
		"no spaces":   crowded(4, 10, strings.Repeat("category-", 40)),
		"Chinese":     crowded(4, 10, strings.Repeat("统计", 50)),
		"short names": crowded(16, 10, "a"),
		"no lines":    crowded(0, 3, ""),
	} {
		t.Run(name, func(t *testing.T) {
			p := drawn(t, c)
			last := make(map[float64]float64) // where the last text of a height ends
			for _, text := range p.Texts {
				width := widthOf(text.Text)
				from := map[string]float64{"start": text.X, "middle": text.X - width/2, "end": text.X - width}[text.Anchor]
				assert.GreaterOrEqual(t, from, 0.0, text.Text)
				assert.LessOrEqual(t, from+width, p.Width, text.Text)
				assert.Greater(t, text.Y, 14.0)
				assert.Less(t, text.Y, p.Height, text.Text)
				if ended, is := last[text.Y]; is && text.Anchor != "end" {
					assert.Greater(t, from, ended, "%q covers what stands before it", text.Text)
				}
				last[text.Y] = from + width
			}
			all := ""
			for _, text := range p.Texts {
				all += text.Text + " "
			}
			for _, line := range c.Lines {
				assert.Contains(t, strings.ReplaceAll(all, " ", ""), strings.ReplaceAll(line.Name, " ", ""))
			}
			for _, path := range p.Paths {
				for _, place := range regexp.MustCompile(`[ML](-?[0-9.]+) (-?[0-9.]+)`).FindAllStringSubmatch(path.D, -1) {
					x, err := strconv.ParseFloat(place[1], 64)
					require.NoError(t, err)
					y, err := strconv.ParseFloat(place[2], 64)
					require.NoError(t, err)
					assert.True(t, x >= 0 && x <= p.Width && y >= 0 && y <= p.Height, place[0])
				}
			}
		})
	}
}

func TestAChartTellsItsLinesApartWithoutColours(t *testing.T) {
	p := drawn(t, crowded(chart.MaxLines, 2, "a"))
	looks := make(map[string]bool)
	for i := 0; i+1 < len(p.Paths); i++ {
		if p.Paths[i].Dashes == "" {
			continue
		}
		// The shape is what stands between the first place of a mark and the next.
		shape := strings.Split(p.Paths[i+1].D, "m")[1]
		shape, _, _ = strings.Cut(shape, "M")
		looks[p.Paths[i].Dashes+shape] = true
	}
	assert.Len(t, looks, chart.MaxLines)
}

func TestAChartIsReadToWhoDoesNotSeeIt(t *testing.T) {
	c := crowded(1, 3, "a <b> & \"c\"")
	p := drawn(t, c)
	assert.Equal(t, "img", p.Role)
	assert.Equal(t, p.Title.ID+" "+p.Desc.ID, p.Label)
	assert.Equal(t, c.Title, p.Title.Text)
	assert.Contains(t, p.Desc.Text, `a <b> & "c" 0: first 0.0, last 14.0, lowest 0.0, highest 14.0.`)
}

func TestAChartHasContrastOnLightAndDark(t *testing.T) {
	content := string(crowded(16, 2, "a").SVG())
	light, dark := luminance(t, "#ffffff"), luminance(t, "#1b1b1f")
	plain, media, _ := strings.Cut(content, "<style>")
	media, rest, _ := strings.Cut(media, "</style>")
	assert.Contains(t, media, "prefers-color-scheme: dark")
	onDark := regexp.MustCompile(`\.s\d+ \{ stroke: (#\w{6})`).FindAllStringSubmatch(media, -1)
	onLight := regexp.MustCompile(`class='s\d+'[^>]*stroke='(#\w{6})'`).FindAllStringSubmatch(plain+rest, -1)
	require.Len(t, onLight, 16)
	require.Len(t, onDark, 7)
	for _, colour := range onLight {
		assert.GreaterOrEqual(t, (light+0.05)/(luminance(t, colour[1])+0.05), 3.0, colour[1])
	}
	for _, colour := range onDark {
		assert.GreaterOrEqual(t, (luminance(t, colour[1])+0.05)/(dark+0.05), 3.0, colour[1])
	}
}

// luminance is the relative luminance of WCAG 2.2, with a power in place of its two pieces.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	require.NoError(t, err)
	linear := func(v uint64) float64 { return math.Pow(float64(v&0xff)/255, 2.2) }
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}
