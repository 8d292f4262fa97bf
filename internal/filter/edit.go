package filter

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/setcookie"
	"github.com/cookiecharter/consent/internal/sharedcache"
)

// An edit is the work of a Filter on one head.
type edit struct {
	filter   *Filter
	header   http.Header     // of the head; nil if a handler writes it by itself
	fields   []rawhead.Field // of such a head
	final    bool            // no other head follows this one
	first    bool            // the head is the final one, and was not edited before
	personal bool            // something in the head is for this visitor alone
	events   []Event

	cacheControl []string // of the head
}

// begin ends the time for decisions, and returns the lines that the final head has
// to carry: the signed decision, and those that expire what it refuses.
func (e *edit) begin() []string {
	news, first := e.filter.Visitor.SendHead()
	e.first = first
	var added []string
	if news.Line != "" {
		added = append(added, news.Line)
	}
	if news.Side != "" {
		added = append(added, news.Side)
	}
	if news.Line != "" || news.Clean && e.isPageLoad() {
		added = append(added, e.expire(news.Line != "")...)
	}
	e.personal = len(added) > 0
	return added
}

// keepPrivate keeps the response out of shared caches if something in it is for this
// visitor alone. It stays so: a handler may change the head if a writer outside holds it
// back, and the line that was removed is not there then.
func (e *edit) keepPrivate() {
	v := &e.filter.Visitor
	if !e.final {
		if e.personal {
			e.keepOut()
		}
		return
	}
	if e.personal {
		v.KeepPrivate()
	}
	fields, shown := v.Shown()
	if !shown && !v.IsPrivate() {
		if sharedcache.Allows(e.cacheControl) {
			v.ShareHead()
		}
		return
	}
	contradicted := e.keepOut()
	switch {
	case len(fields) == 0:
	case e.header != nil:
		sharedcache.Vary(e.header, fields)
	default:
		e.fields = sharedcache.VaryFields(e.fields, fields)
	}
	if shown && contradicted && e.filter.config.Public != nil {
		e.filter.config.Public(e.filter.request)
	}
}

// keepOut keeps the head out of shared caches, and reports whether it had let them keep
// the response.
func (e *edit) keepOut() (contradicted bool) {
	switch {
	case e.header == nil:
		e.fields, contradicted = sharedcache.KeepOutFields(e.fields)
	case e.final:
		contradicted = sharedcache.KeepOut(e.header, e.filter.takeRoom())
	default: // the room is for the final head
		contradicted = sharedcache.KeepOut(e.header, nil)
	}
	return contradicted
}

// lines returns the lines that pass, and whether they are others than the given
// ones.
func (e *edit) lines(given []string) (kept []string, changed bool) {
	for i, line := range given {
		edited, passes := e.line(line)
		if !changed && (!passes || edited != line) {
			// A copy, since requests may share the given slice.
			kept, changed = append(e.filter.takeRoom(), given[:i]...), true
		}
		if changed && passes {
			kept = append(kept, edited)
		}
	}
	if !changed {
		return given, false
	}
	return kept, true
}

// takeRoom returns room for two values, once.
func (f *Filter) takeRoom() []string {
	if f.room[0] != "" { // no value that stays is empty
		return nil
	}
	return f.room[:0]
}

// report judges lines that all stay. The head may be edited again with more lines
// after those that were reported: each is reported once.
func (e *edit) report(key string, given []string) {
	if key != "Set-Cookie" { // of the spelling that nobody appends to, all at once
		if e.first {
			e.lines(given)
		}
		return
	}
	e.lines(given[min(int(e.filter.reported), len(given)):])
	e.filter.reported = int32(len(given))
}

// line decides about one Set-Cookie line, and returns what to send in its place.
func (e *edit) line(given string) (edited string, passes bool) {
	edited, passes = e.judge(given)
	if e.filter.config.ReportOnly {
		return given, true
	}
	if !passes && e.final {
		// With the line the default of most caches goes that a response which sets
		// cookies is one visitor's (nginx, Varnish; RFC 9111 leaves it to them).
		e.personal = true
	}
	return edited, passes
}

func (e *edit) judge(line string) (edited string, passes bool) {
	reading := setcookie.Read(line, e.now)
	if !reading.Readable && strings.ContainsAny(line, "\r\n") {
		// net/http sends such a line with spaces in place of its ends, and a browser
		// reads what is sent.
		line = strings.TrimSpace(oneLine.Replace(line))
		reading = setcookie.Read(line, e.now)
	}
	if slices.ContainsFunc(reading.Names(), e.isOwn) && (reading.Deletion != setcookie.NoDeletion || isEmpty(line)) {
		if e.filter.Visitor.Sends(line) {
			return line, true // a head that is edited again holds what was added to it
		}
		// A site that deletes every cookie when somebody signs out means its own, be it
		// that it overwrites them.
		e.note(reading.Name(), Removed, OwnCookie, line)
		return "", false
	}
	switch reading.Deletion {
	case setcookie.Sure:
		return line, true // to remove a cookie needs no consent
	case setcookie.Recent:
		return line + "; Max-Age=0", true // a browser whose clock is late would store it
	}
	if !reading.Readable {
		e.note("", Removed, Unreadable, line)
		return "", false
	}
	if !e.judgeNames(&reading, line) {
		return "", false
	}
	return line, true
}

// judgeNames decides about the names of a line that sets a cookie. Browsers differ, so that
// each of the names has to pass.
func (e *edit) judgeNames(reading *setcookie.Reading, line string) (passes bool) {
	var declared *policy.Rule // of the name that is written, which comes first
	undeclared, personal := false, false
	for i, name := range reading.Names() {
		rule, verdict := e.filter.Visitor.Verdict(name)
		if i == 0 {
			declared = rule
		}
		if !e.filter.passes(verdict) {
			e.note(name, Removed, verdict.Reason(), line)
			return false
		}
		undeclared = undeclared || verdict == policy.Undeclared
		personal = personal || verdict.Personal()
	}
	if undeclared && e.first {
		e.note(reading.Name(), Passed, policy.Undeclared.Reason(), line)
	} else if !undeclared && declared != nil { // the library's own cookie needs no declaration
		e.noteDrift(declared, reading.Name(), line)
	}
	// A shared cache would hand the line to a visitor who has not consented, or who
	// objects.
	e.personal = e.personal || personal && !e.filter.config.ReportOnly
	return true
}

// isOwn reports whether a cookie is the library's.
func (e *edit) isOwn(name string) bool {
	return e.filter.Visitor.IsPreferences(name) || e.filter.Visitor.IsAccount(name)
}

// isEmpty reports whether a line sets no value.
func isEmpty(line string) bool {
	pair, _, _ := strings.Cut(line, ";")
	_, value, _ := strings.Cut(pair, "=")
	return strings.Trim(value, " \t\"") == ""
}

// oneLine does what net/http does to a value that holds the end of a line.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// now returns the time that browsers take it to be, which the response's own
// Date changes. It is asked only if a date decides.
func (e *edit) now() setcookie.Clock { return setcookie.ClockOf(time.Now(), e.values("Date")) }

// values returns the values of a field of the head, whatever its letter case. Nobody may
// write to them: if one key has the name, as good as always, they are those of the head,
// since a copy would take an allocation of each page of a visitor who has answered
// (TestNothingElseChangesInAllocations, "comes back").
func (e *edit) values(name string) (values []string) {
	for key, more := range e.header {
		switch {
		case !strings.EqualFold(key, name):
		case values == nil:
			values = more
		default:
			values = slices.Concat(values, more)
		}
	}
	for _, field := range e.fields {
		if strings.EqualFold(field.Name, name) {
			values = append(slices.Clip(values), field.Value)
		}
	}
	return values
}
