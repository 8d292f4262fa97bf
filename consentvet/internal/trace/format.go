package trace

import (
	"go/types"
	"regexp"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// called returns the texts that a function of the standard library makes, none if it is
// another function.
func (p *Program) called(call *ssa.Call, o Origin) []Text {
	f := call.Call.StaticCallee()
	if f == nil {
		return nil
	}
	args := call.Call.Args
	switch f.String() {
	case "fmt.Sprintf":
		return p.formats(args[0], args[1], o)
	case "fmt.Sprint":
		return p.sprint(args[0], o)
	case "strings.ToLower":
		return p.changed(args[0], o, strings.ToLower)
	case "strings.ToUpper":
		return p.changed(args[0], o, strings.ToUpper)
	case "strings.TrimSpace", "strings.Clone", "net/textproto.TrimString", "net/url.QueryEscape", "net/url.PathEscape":
		return p.changed(args[0], o, unchanged)
	case "(*strings.Replacer).Replace":
		return p.changed(args[1], o, unchanged)
	case "(*bytes.Buffer).String", "(*bytes.Buffer).Bytes", "(*strings.Builder).String":
		return p.buffered(call, o)
	default:
		return nil
	}
}

// plain is what a function that escapes or trims leaves as it is.
var plain = regexp.MustCompile(`^[0-9A-Za-z_.-]*$`)

func unchanged(part string) string { return part }

// changed returns what a function makes of the parts of a text. A text is computed if the
// function may change more of it.
func (p *Program) changed(of ssa.Value, o Origin, change func(part string) string) []Text {
	texts := once(p, question{value: of}, func() []Text { return p.textsIn(of, o) })
	for i, t := range texts {
		made := Text{At: t.At, Field: t.Field}
		for _, part := range t.Parts {
			if !plain.MatchString(part) {
				made.Parts = Computed().Parts
				break
			}
			made.Parts = append(made.Parts, change(part))
		}
		texts[i] = made
	}
	return texts
}

var verb = regexp.MustCompile(`%[^%a-zA-Z]*[%a-zA-Z]`)

// formats returns the texts that a format makes with its arguments. What is no string, or
// not written as it is, counts as computed.
func (p *Program) formats(format, list ssa.Value, o Origin) (made []Text) {
	args, _ := arguments(list)
	for _, t := range p.textsIn(format, o) {
		if !t.Known() {
			made = append(made, Text{Parts: Computed().Parts, At: t.At})
			continue
		}
		texts, rest, next := []Text{{Parts: []string{""}, At: t.At}}, t.Parts[0], 0
		for at := verb.FindStringIndex(rest); at != nil; at = verb.FindStringIndex(rest) {
			texts = joined(texts, []Text{{Parts: []string{rest[:at[0]]}}})
			switch found := rest[at[0]:at[1]]; {
			case strings.HasSuffix(found, "%"):
				texts = joined(texts, []Text{{Parts: []string{"%"}}})
			case (found == "%s" || found == "%v") && next < len(args):
				texts = joined(texts, p.printed(args[next], o))
				next++
			default:
				texts = joined(texts, []Text{Computed()})
				next++
			}
			rest = rest[at[1]:]
		}
		made = append(made, joined(texts, []Text{{Parts: []string{rest}}})...)
	}
	return made
}

// sprint returns the texts that fmt.Sprint makes of one argument.
func (p *Program) sprint(list ssa.Value, o Origin) []Text {
	if args, ok := arguments(list); ok && len(args) == 1 {
		return p.printed(args[0], o)
	}
	return nil
}

// printed returns the texts of an argument that is printed.
func (p *Program) printed(arg ssa.Value, o Origin) []Text {
	value := arg
	if boxed, ok := arg.(*ssa.MakeInterface); ok {
		value = boxed.X
	}
	if basic, ok := value.Type().Underlying().(*types.Basic); !ok || basic.Kind() != types.String {
		return []Text{Computed()}
	}
	texts := once(p, question{value: value}, func() []Text { return p.textsIn(value, o) })
	if len(texts) == 0 {
		return []Text{Computed()}
	}
	return texts
}

// joined joins each text on the left with each on the right, those of one call only if
// both sides have any of it.
func joined(lefts, rights []Text) (all []Text) {
	together := false
	for _, left := range lefts {
		for _, right := range rights {
			together = together || left.At == right.At && left.At.IsValid()
		}
	}
	for _, left := range lefts {
		for _, right := range rights {
			if !together || left.At == right.At || !left.At.IsValid() || !right.At.IsValid() {
				all = append(all, join(left, right))
			}
		}
	}
	if len(all) > maxTexts {
		return []Text{Computed()}
	}
	return all
}

// arguments returns the arguments that a call passes as a list, in order. Ok is false if
// the list is made elsewhere.
func arguments(list ssa.Value) (args []ssa.Value, ok bool) {
	slice, ok := list.(*ssa.Slice)
	if !ok {
		return nil, false
	}
	array, ok := slice.X.(*ssa.Alloc)
	if !ok {
		return nil, false
	}
	for _, user := range *array.Referrers() {
		at, ok := user.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		for _, use := range *at.Referrers() {
			if store, ok := use.(*ssa.Store); ok && store.Addr == at {
				args = append(args, store.Val)
			}
		}
	}
	return args, true
}

// buffered returns the texts of a buffer, as far as its first write: a name stands at the
// beginning of a line.
func (p *Program) buffered(read *ssa.Call, o Origin) []Text {
	buffer := read.Call.Args[0]
	for _, block := range read.Parent().Blocks {
		for _, instruction := range block.Instrs {
			call, ok := instruction.(*ssa.Call)
			if !ok || call.Call.StaticCallee() == nil {
				continue
			}
			args := call.Call.Args
			switch call.Call.StaticCallee().String() {
			case "fmt.Fprintf":
				if boxed, ok := args[0].(*ssa.MakeInterface); ok && boxed.X == buffer {
					return joined(p.formats(args[1], args[2], o), []Text{Computed()})
				}
			case "(*bytes.Buffer).WriteString", "(*bytes.Buffer).Write", "(*strings.Builder).WriteString", "(*strings.Builder).Write":
				if args[0] == buffer {
					return joined(p.textsIn(args[1], o), []Text{Computed()})
				}
			}
		}
	}
	return nil
}
