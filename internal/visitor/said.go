package visitor

import (
	"slices"

	"github.com/cookiecharter/consent/internal/decision"
)

// said is what handlers have said of one response. It never changes: another one takes its
// place. Most responses have none, and room for it in the Visitor would cost each of them
// 64 bytes (TestNothingElseChangesInAllocations).
type said struct {
	line   string             // carries the decision in the final head; "" if there is none to send
	side   string             // carries what the browser is to remember of an account; "" for nothing
	taken  *decision.Decision // in this response; nil for none, the zero one if an earlier one was forgotten
	shows  bool               // the response shows something of the visitor
	fields []string           // what it then depends on
}

// saying replaces what was said by a copy that is changed. The caller holds mu.
func (v *Visitor) saying(change func(*said)) {
	now := v.heard()
	change(&now)
	v.said.Store(&now)
}

// heard returns what was said.
func (v *Visitor) heard() said {
	if s := v.said.Load(); s != nil {
		return *s
	}
	return said{}
}

// Remember has the response carry a line for the cookie that remembers who is signed in,
// in place of an earlier one. sent is true, and nothing has changed, if its head has left.
func (v *Visitor) Remember(line string) (sent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.is(headSent) {
		return true
	}
	v.saying(func(s *said) { s.side = line })
	return false
}

// Sends reports whether a line is one of those that the visitor's own response carries.
func (v *Visitor) Sends(line string) bool {
	s := v.said.Load()
	return s != nil && line != "" && (s.line == line || s.side == line)
}

// Show says that the response shows something of the visitor, and depends on these
// fields of the request. It returns true if that comes too late: a head has left that
// lets a shared cache keep the response.
func (v *Visitor) Show(fields []string) (tooLate bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.saying(func(s *said) { s.shows, s.fields = true, slices.Concat(s.fields, fields) })
	return v.is(committed) && v.is(shared)
}

// Shown returns the fields that the response depends on, and whether it shows
// something of the visitor at all.
func (v *Visitor) Shown() (fields []string, shown bool) {
	if s := v.said.Load(); s != nil {
		return s.fields, s.shows
	}
	return nil, false
}
