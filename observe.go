package consent

import (
	"net/http"
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/setcookie"
)

// An Event tells what became of one cookie in one response: its name, never
// its value.
type Event struct {
	Cookie  string // as the browser would name it; "" for one without a name
	Outcome Outcome
	Reason  Reason

	// Attributes are those of the line that would have set the cookie, or did.
	// They are zero for a cookie that was expired.
	Attributes Attributes

	// ReportOnly says that the outcome is what it would have been without
	// [Config.ReportOnly]. Nothing has been changed.
	ReportOnly bool
}

// An Outcome is what the middleware did with a cookie.
type Outcome string

const (
	Removed Outcome = "removed" // the line that would have set it was taken out
	Expired Outcome = "expired" // the browser was told to delete it, as the visitor refuses it
	Passed  Outcome = "passed"  // it went through, though nobody declared it or not as it was declared
)

// A Reason is why a cookie was removed or expired, or worth a mention.
type Reason string

const (
	Undeclared Reason = "undeclared" // nobody declared a cookie of this name
	Undecided  Reason = "undecided"  // the visitor has not answered for it
	Refused    Reason = "refused"    // the visitor has refused it
	Objected   Reason = "objected"   // the visitor objects to anonymous statistics
	Unreadable Reason = "unreadable" // no browser reads the line, or not for certain
	InTrailer  Reason = "trailer"    // it came behind the body, where no browser looks for cookies

	// The charter tells visitors something else than what these cookies do. There
	// is an event for each that holds.
	OutlivesDeclared Reason = "lifetime" // it is kept for longer than its declared Lifetime
	OtherDomain      Reason = "domain"   // its Domain is not the declared one, so that deleting it would fail
	OtherPath        Reason = "path"     // its Path is not the declared one, so that deleting it would fail
)

// Attributes are what a Set-Cookie line says beside name and value, as browsers
// read it (RFC 6265bis section 5.6).
type Attributes struct {
	Domain      string        // in lower case, without the dot that may begin it; "" for the host alone
	Path        string        // "" where the path of the request decides
	Lifetime    time.Duration // zero until the browser is closed; a century for that long or longer
	Secure      bool
	HttpOnly    bool
	Partitioned bool
	SameSite    string // as it is written
}

// clockError is how much an Expires may lie behind a lifetime that was counted
// from a moment ago.
const clockError = time.Minute

// drift returns all in which a line that passes is not as its name was declared;
// nothing where it is as some declaration says.
func (r *rule) drift(a Attributes, request *http.Request) (found []Reason) {
	for _, d := range r.declarations {
		if found = d.drift(a, request); len(found) == 0 {
			return nil
		}
	}
	return found
}

func (c *Cookie) drift(a Attributes, request *http.Request) (found []Reason) {
	path, declared := a.Path, c.Path
	if path == "" {
		path = defaultPath(request.URL.Path)
	}
	if declared == "" {
		declared = "/"
	}
	if a.Lifetime > c.Lifetime+clockError {
		found = append(found, OutlivesDeclared)
	}
	if c.Domain != "" && !strings.EqualFold(strings.TrimPrefix(c.Domain, "."), a.Domain) {
		found = append(found, OtherDomain)
	}
	if path != declared {
		found = append(found, OtherPath)
	}
	return found
}

// defaultPath is the path of a cookie whose line has none (RFC 6265 section
// 5.1.4).
func defaultPath(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return "/"
	}
	return path[:i]
}

// note keeps an event for tell.
func (j *judgement) note(cookie string, outcome Outcome, reason Reason, line string) {
	if j.mw.observe == nil {
		return
	}
	e := Event{Cookie: cookie, Outcome: outcome, Reason: reason, ReportOnly: j.mw.reportOnly}
	if line != "" {
		e.Attributes = Attributes(setcookie.ReadAttributes(line, time.Now()))
	}
	j.events = append(j.events, e)
}

// noteDrift keeps an event for each thing in which a declared cookie that passes is
// not as it was declared.
func (j *judgement) noteDrift(name, line string) {
	if j.mw.observe == nil || !j.final {
		return
	}
	rule, declared := j.mw.registry.rules.Match(name)
	if !declared {
		return
	}
	a := Attributes(setcookie.ReadAttributes(line, time.Now()))
	for _, reason := range rule.drift(a, &j.request) {
		j.note(name, Passed, reason, line)
	}
}

// tell comes when the head is as it may leave, whatever Observe does.
func (j *judgement) tell() {
	for _, e := range j.events {
		j.mw.observe(&j.request, e)
	}
}
