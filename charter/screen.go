package charter

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A screen is a notice that is drawn again for the visitor who saw it.
type screen struct {
	Lang, Dir  string
	Blocks     []block
	OwnAnswers bool // the boxes held what the visitor had answered before
	HasBraces  bool // names in braces stand for what differs between visitors
	Cut        bool // there was more
}

// A block is a line of a screen, or a row of a table.
type block struct {
	As      consent.LineAs
	Text    text
	Checked bool
	Pressed text    // says that this button was pressed; empty if it was not
	Folded  []block // what was below this summary, if that was closed
	Cells   []text  // of the row, if it is one
}

// maxScreens is how many bytes of notices one page draws: the longest notice twice.
const maxScreens = 2 << 20

// A notice is the JSON of a consent.Notice, of either form.
type notice struct {
	Version int
	consent.Screen

	// Without a version: what a site that asks by itself says it has shown.
	Sentences map[string]string
	Cookies   []struct{ Name, Provider, Service, Purpose string }
}

// drawn returns what a notice says was on the screen. It returns nil if nobody knows.
func (w *words) drawn(content []byte) *screen {
	var n notice
	if err := json.Unmarshal(content, &n); err != nil || n.Version > 1 {
		return nil // it is of a later version of this library
	}
	s := &screen{Lang: n.Language, Dir: cmp.Or(n.Direction, directionOf(n.Language)), OwnAnswers: n.OwnAnswers, Cut: n.Cut}
	for _, line := range n.Lines {
		s.HasBraces = s.HasBraces || braces.MatchString(line.Text)
		into := &s.Blocks
		if last := len(s.Blocks) - 1; line.Folded && last >= 0 && s.Blocks[last].As == consent.AsSummary {
			into = &s.Blocks[last].Folded
		}
		*into = w.withLine(*into, line, n.Pressed)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Sentences)) {
		s.Blocks = append(s.Blocks, block{Text: text{Text: n.Sentences[name]}})
	}
	for _, c := range n.Cookies {
		as := consent.AsRow
		for _, cell := range []string{c.Name, c.Provider, c.Service, c.Purpose} {
			s.Blocks, as = w.withLine(s.Blocks, consent.Line{Text: cell, As: as}, ""), consent.AsCell
		}
	}
	if len(s.Blocks) == 0 && !s.Cut {
		return nil
	}
	return s
}

// braces matches what stands for the words that differ between visitors: see [consent.Screen].
var braces = regexp.MustCompile(`\{(date|providers|reference|title)\}`)

// withLine adds a line to blocks.
func (w *words) withLine(blocks []block, line consent.Line, pressed string) []block {
	shown := text{Text: line.Text, Lang: line.Language}
	if shown.Lang != "" {
		shown.Dir = cmp.Or(line.Direction, directionOf(line.Language))
	}
	if line.As == consent.AsRow || line.As == consent.AsCell {
		last := len(blocks) - 1
		if line.As == consent.AsRow || last < 0 || blocks[last].Cells == nil {
			blocks, last = append(blocks, block{Cells: []text{}}), last+1
		}
		if shown.Text != "" {
			blocks[last].Cells = append(blocks[last].Cells, shown)
		}
		return blocks
	}
	b := block{As: line.As, Text: shown, Checked: line.Checked}
	if line.As == consent.AsButton && line.Value != "" && line.Value == pressed {
		b.Pressed = text{Text: w.ScreenPressed, Lang: w.tag.String(), Dir: direction(w.tag)}
	}
	return append(blocks, b)
}

// directionOf is direction for a tag of a record, which need not be one.
func directionOf(tag string) string { return direction(language.Make(tag)) }
