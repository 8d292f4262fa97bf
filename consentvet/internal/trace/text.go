package trace

import (
	"cmp"
	"go/constant"
	"go/token"
	"regexp"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Text is what is known of a string: the parts that are constant, in their
// order. Between each two of them stands what is computed.
type Text struct {
	Parts []string
	At    token.Pos // as in [Origin]
}

// Computed returns a text of which nothing is known.
func Computed() Text { return Text{Parts: []string{"", ""}} }

// Known reports whether nothing of the text is computed.
func (t Text) Known() bool { return len(t.Parts) == 1 }

// Unknown reports whether all of it is.
func (t Text) Unknown() bool { return !t.Known() && strings.Join(t.Parts, "") == "" }

// String returns the text with a '*' for each thing that is computed.
func (t Text) String() string { return strings.Join(t.Parts, "*") }

// Before returns the text up to a separator.
func (t Text) Before(separator string) Text {
	for i, part := range t.Parts {
		if before, _, found := strings.Cut(part, separator); found {
			return Text{append(t.Parts[:i:i], before), t.At}
		}
	}
	return t
}

// maxTexts is how many texts one string may be before it counts as computed.
const maxTexts = 100

// Texts returns what a string may be.
func (p *Program) Texts(v ssa.Value) []Text { return p.TextsOf(p.Origins(v)) }

// TextsOf returns what a string may be that has these origins.
func (p *Program) TextsOf(origins []Origin) []Text {
	var texts []Text
	for _, o := range origins {
		for _, t := range p.textsOf(o.Value) {
			t.At = cmp.Or(t.At, o.At)
			texts = append(texts, t)
		}
	}
	return texts
}

func (p *Program) textsOf(v ssa.Value) []Text {
	switch v := v.(type) {
	case *ssa.Const:
		if v.Value == nil || v.Value.Kind() != constant.String {
			return nil // nil, where a pointer to a string or to its struct is not set yet
		}
		return []Text{{Parts: []string{constant.StringVal(v.Value)}}}
	case *ssa.BinOp:
		// It may be its own operand, in a loop.
		if texts := once(p, question{value: v}, func() []Text { return p.sums(v) }); len(texts) > 0 && len(texts) <= maxTexts {
			return texts
		}
	case *ssa.Call:
		if f := v.Call.StaticCallee(); f != nil && f.String() == "fmt.Sprintf" {
			return p.formats(v.Call.Args[0])
		}
	}
	return []Text{Computed()}
}

// sums returns what stands on the left of a '+' with what stands on the right.
// Where both are parameters of one function they are joined as each call gives
// them, and not with those of other calls.
func (p *Program) sums(sum *ssa.BinOp) (sums []Text) {
	lefts, rights := p.Texts(sum.X), p.Texts(sum.Y)
	together := false
	for _, left := range lefts {
		for _, right := range rights {
			together = together || left.At == right.At && left.At.IsValid()
		}
	}
	for _, left := range lefts {
		for _, right := range rights {
			if !together || left.At == right.At || !left.At.IsValid() || !right.At.IsValid() {
				sums = append(sums, join(left, right))
			}
		}
	}
	return sums
}

func join(left, right Text) Text {
	joined := Text{At: cmp.Or(left.At, right.At)}
	last := len(left.Parts) - 1
	joined.Parts = append(joined.Parts, left.Parts[:last]...)
	joined.Parts = append(joined.Parts, left.Parts[last]+right.Parts[0])
	joined.Parts = append(joined.Parts, right.Parts[1:]...)
	// Of two computed things side by side nothing is known between them.
	for i := len(joined.Parts) - 2; i > 0; i-- {
		if joined.Parts[i] == "" {
			joined.Parts = append(joined.Parts[:i], joined.Parts[i+1:]...)
		}
	}
	return joined
}

var verb = regexp.MustCompile(`%[^%a-zA-Z]*[%a-zA-Z]`)

// formats returns what package fmt makes of a format, whatever the arguments.
func (p *Program) formats(format ssa.Value) []Text {
	texts := p.Texts(format)
	for i, t := range texts {
		if !t.Known() {
			texts[i].Parts = Computed().Parts
			continue
		}
		made := Text{Parts: []string{""}, At: t.At}
		rest := t.Parts[0]
		for at := verb.FindStringIndex(rest); at != nil; at = verb.FindStringIndex(rest) {
			made = join(made, Text{Parts: []string{rest[:at[0]]}})
			if rest[at[1]-1] == '%' {
				made = join(made, Text{Parts: []string{"%"}})
			} else {
				made = join(made, Computed())
			}
			rest = rest[at[1]:]
		}
		texts[i] = join(made, Text{Parts: []string{rest}})
	}
	return texts
}
