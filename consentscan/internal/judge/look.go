package judge

import (
	"slices"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// tracer returns the tracer that an event is about.
func (j *judge) tracer(e *seen.Event) *tracer {
	sight := id{kind: e.Kind, name: e.Name}
	if e.Third {
		sight.host = e.Host
	}
	if t := j.bySight[sight]; t != nil {
		return t
	}
	t := j.declarations.tracer(e)
	if same := j.tracers[t.id]; same != nil {
		t = same
	}
	j.tracers[t.id], j.bySight[sight] = t, t
	return t
}

// contact returns the contact that an event is about.
func (j *judge) contact(e *seen.Event) *contact {
	sight := [2]string{e.Host, e.Cloaked}
	if c := j.byHost[sight]; c != nil {
		return c
	}
	c := j.declarations.contact(e)
	if same := j.contacts[c.name]; same != nil {
		c = same
	}
	j.contacts[c.name], j.byHost[sight] = c, c
	return c
}

// exempt reports whether an event is about the cookie that holds the visitor's answer.
func (j *judge) exempt(e *seen.Event) bool {
	return e.Kind == seen.Cookie && !e.Third && slices.Contains(j.own, e.Name)
}

// stage returns the stage of an event. One that the scan does not list is not judged.
func (j *judge) stage(e *seen.Event) *stage {
	if s := j.stages[e.Stage]; s != nil {
		return s
	}
	return &stage{order: len(j.stages)}
}

// look notes what the judgement of one event takes from the others.
func (j *judge) look(e *seen.Event) {
	stage := j.stage(e)
	switch e.Act {
	case seen.Contacted:
		if !e.Third {
			return
		}
		c := j.contact(e)
		c.hosts[e.Host] = true
		j.observe(c.declared)
		c.without = c.without || stage.Earlier == "" && !stage.permits(c.declared)
	case seen.Stored, seen.Kept, seen.Sent, seen.Blocked:
		t := j.tracer(e)
		t.names[e.Name], t.hosts[e.Host] = true, true
		j.observe(t.declared)
		j.observe(t.elsewhere)
		switch e.Act {
		case seen.Stored:
			t.stored[e.Stage] = true
			if t.storing[e.Stage] == nil {
				t.storing[e.Stage] = e
			}
		case seen.Kept:
			t.kept[e.Stage] = true
		default:
			return
		}
		forbidden := !stage.permits(t.declared)
		if len(t.declared) == 0 {
			forbidden = stage.judged && slices.Contains(probes, t.draft.Category) && !stage.presumed[t.draft.Category]
		}
		if forbidden && stage.Earlier == "" {
			t.unasked = t.unasked || !stage.Answered
			t.without = t.without || !stage.Answered || e.Act == seen.Stored
		}
	}
}

func (j *judge) observe(declared []int) {
	for _, i := range declared {
		j.observed[i] = true
	}
}
