package report

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A thing is a tracer or a host, and the stages in which it was seen.
type thing struct {
	Kind, Name, Host, Declared string
	Stages                     []string
}

// things returns each tracer and each host once, by name.
func (r *Report) things() (tracers, hosts []thing, left int) {
	declared := newDeclared(r.Registry)
	at := make(map[identity]*thing)
	var order []identity
	for _, e := range r.Scan.Events {
		id := identity{e.Kind, e.Name, e.Host}
		switch e.Act {
		case seen.Stored, seen.Kept:
		case seen.Contacted:
			id = identity{host: e.Host}
		default:
			continue
		}
		t := at[id]
		if t == nil {
			t = &thing{Kind: string(id.kind), Name: show(e.Name), Host: show(e.Host)}
			switch {
			case e.Act == seen.Contacted:
				t.Name = show(e.Cloaked)
			case r.isAnswer(e):
				t.Declared = "the visitor's answer itself"
			default:
				t.Declared = declared.by(id.kind, id.name)
			}
			at[id] = t
			order = append(order, id)
		}
		if !slices.Contains(t.Stages, e.Stage) {
			t.Stages = append(t.Stages, e.Stage)
		}
	}
	slices.SortFunc(order, func(a, b identity) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.host, b.host), strings.Compare(string(a.kind), string(b.kind)))
	})
	for _, id := range order {
		t := at[id]
		slices.SortFunc(t.Stages, func(a, b string) int { return r.place(a) - r.place(b) })
		rows := &tracers
		if id.kind == "" {
			rows = &hosts
		}
		if len(*rows) == maxRows {
			left++
			continue
		}
		*rows = append(*rows, *t)
	}
	return tracers, hosts, left
}

// place returns where in the order of the scan a stage stands.
func (r *Report) place(stage string) int {
	return slices.IndexFunc(r.Scan.Stages, func(s seen.Stage) bool { return s.Name == stage })
}

// several reports whether a text has more than one line, as code has.
func several(s string) bool { return strings.Contains(strings.TrimSpace(s), "\n") }

// inWords returns a duration as "2 minutes 13 seconds".
func inWords(d time.Duration) string {
	d = max(d.Round(time.Second), time.Second)
	minutes, rest := int(d/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case minutes == 0:
		return number(rest, "second")
	case rest == 0:
		return number(minutes, "minute")
	default:
		return number(minutes, "minute") + " " + number(rest, "second")
	}
}

// joined joins what there is of a provider and a category.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}
