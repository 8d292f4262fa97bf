package trace

import (
	"cmp"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Text is the known part of a string: its constant parts, in order. Between each two
// of them is a computed one.
type Text struct {
	Parts []string
	At    token.Pos // as in [Origin]
	Field *types.Var
}

// Computed returns a text without any constant part.
func Computed() Text { return Text{Parts: []string{"", ""}} }

// Known reports whether the text has no computed part.
func (t Text) Known() bool { return len(t.Parts) == 1 }

// Unknown reports whether the text has no constant part.
func (t Text) Unknown() bool { return !t.Known() && strings.Join(t.Parts, "") == "" }

// String returns the text with a '*' for each computed part.
func (t Text) String() string { return strings.Join(t.Parts, "*") }

// Before returns the text before the first known separator, the whole text if there is
// none.
func (t Text) Before(separator string) Text {
	for i, part := range t.Parts {
		if before, _, found := strings.Cut(part, separator); found {
			t.Parts = append(t.Parts[:i:i], before)
			return t
		}
	}
	return t
}

// maxTexts is the number of texts that a sum may be; beyond it, the sum counts as computed.
const maxTexts = 100

// Texts returns the possible texts of a string.
func (p *Program) Texts(v ssa.Value) []Text { return p.TextsOf(p.Origins(v)) }

// TextsOf returns the possible texts of a string with these origins.
func (p *Program) TextsOf(origins []Origin) []Text {
	var texts []Text
	for _, o := range origins {
		for _, t := range p.textsOf(o) {
			t.At = cmp.Or(t.At, o.At)
			t.Field = cmp.Or(t.Field, o.Field)
			texts = append(texts, t)
		}
	}
	return texts
}

func (p *Program) textsOf(o Origin) []Text {
	switch v := o.Value.(type) {
	case *ssa.Const:
		if v.Value == nil || v.Value.Kind() != constant.String {
			return nil // the nil of a pointer that is not set yet, to a string or to its struct
		}
		return []Text{{Parts: []string{constant.StringVal(v.Value)}}}
	case *ssa.BinOp:
		// In a loop, a sum may be its own operand.
		if texts := once(p, question{value: v}, func() []Text { return p.sums(v, o) }); len(texts) > 0 && len(texts) <= maxTexts {
			return texts
		}
	case *ssa.Call:
		if texts := p.called(v, o); len(texts) > 0 && len(texts) <= maxTexts {
			return texts
		}
	}
	return []Text{Computed()}
}

// sums joins the texts on the left of a '+' with those on the right. If both sides are
// parameters of one function, only texts of the same call are joined.
func (p *Program) sums(sum *ssa.BinOp, o Origin) []Text {
	return joined(p.textsIn(sum.X, o), p.textsIn(sum.Y, o))
}

// textsIn returns the possible texts of a string within the calls that led to an origin.
func (p *Program) textsIn(v ssa.Value, o Origin) []Text {
	return p.TextsOf(p.follow([]Origin{{Value: v, in: o.in}}))
}

func join(left, right Text) Text {
	joined := Text{At: cmp.Or(left.At, right.At), Field: cmp.Or(left.Field, right.Field)}
	last := len(left.Parts) - 1
	joined.Parts = append(joined.Parts, left.Parts[:last]...)
	joined.Parts = append(joined.Parts, left.Parts[last]+right.Parts[0])
	joined.Parts = append(joined.Parts, right.Parts[1:]...)
	// Two computed parts without a constant between them are one.
	for i := len(joined.Parts) - 2; i > 0; i-- {
		if joined.Parts[i] == "" {
			joined.Parts = append(joined.Parts[:i], joined.Parts[i+1:]...)
		}
	}
	return joined
}
