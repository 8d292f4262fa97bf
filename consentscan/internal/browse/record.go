package browse

import (
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// most bounds what one visitor records: a page may go on for ever.
const most = 50_000

// A record is the events of a visitor, each once.
type record struct {
	events []*event
	known  map[seen.Event]*event // by what tells events apart
}

type event struct {
	seen.Event
	at      time.Time
	dropped bool // by a later sign that it did not come to pass
}

func newRecord() record { return record{known: make(map[seen.Event]*event)} }

func (r *record) add(e seen.Event) *event {
	key := keyOf(e)
	if known := r.known[key]; known != nil && !known.dropped {
		known.at = time.Now()
		return known
	}
	if len(r.events) == most {
		return new(event)
	}
	added := &event{Event: e, at: time.Now()}
	r.known[key] = added
	r.events = append(r.events, added)
	return added
}

// hasStored says whether something is known to have stored a cookie in its stage.
func (r *record) hasStored(cookie seen.Event) bool {
	for _, e := range r.events {
		if e.Act == seen.Stored && !e.dropped && e.Stage == cookie.Stage && e.Kind == seen.Cookie && e.Name == cookie.Name && e.Host == cookie.Host {
			return true
		}
	}
	return false
}

// keyOf returns what tells an event apart from others.
func keyOf(e seen.Event) seen.Event {
	e.Attributes, e.Line, e.Hash = nil, "", ""
	if e.Act == seen.Kept || e.Act == seen.Sent {
		e.Page, e.Frame, e.By = "", "", seen.Cause{} // the first page in a stage tells
	}
	return e
}

// restage has the events of one stage belong to another.
func (r *record) restage(from, to string) {
	for i := len(r.events) - 1; i >= 0; i-- {
		e := r.events[i]
		if e.Stage != from {
			continue
		}
		delete(r.known, keyOf(e.Event))
		e.Stage = to
		if key := keyOf(e.Event); r.known[key] == nil {
			r.known[key] = e
		}
	}
}

// probe is how soon a script deletes again what it has stored to see whether it can.
const probe = 200 * time.Millisecond

// removed drops what a script stored a moment ago, and has deleted now: it was a probe,
// unless it was sent meanwhile.
func (r *record) removed(kind seen.Kind, name, host string) {
	for i := len(r.events) - 1; i >= 0 && i >= len(r.events)-200; i-- {
		e := r.events[i]
		if e.Act == seen.Sent && e.Name == name {
			return
		}
		if e.Act == seen.Stored && e.Kind == kind && e.Name == name && e.By.Script != "" && (kind == seen.Cookie || e.Host == host) && time.Since(e.at) < probe {
			e.dropped = true
		}
	}
}

func (r *record) list() []seen.Event {
	list := make([]seen.Event, 0, len(r.events))
	for _, e := range r.events {
		if !e.dropped {
			list = append(list, e.Event)
		}
	}
	return list
}
