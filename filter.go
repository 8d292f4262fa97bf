package consent

import (
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/setcookie"
	"github.com/cookiecharter/consent/internal/sharedcache"
	"github.com/cookiecharter/consent/internal/withdrawal"
	"github.com/cookiecharter/consent/internal/writer"
)

// A filter is the middleware at work on one request: the request itself, its
// context and its writer in one, so that it takes a single allocation.
type filter struct {
	context.Context
	writer.Writer
	mw      *Middleware
	request http.Request
	cookies string    // the Cookie header, as it came
	room    [2]string // for lines that stay where others go, once; as many as fit into what is allocated anyway

	current atomic.Pointer[standing] // nil until somebody asks
	mu      sync.Mutex               // orders what sets current, and the end of the head
	sent    bool                     // the final head has left, or may have
	lent    bool                     // room is in use
	expires bool                     // what is refused is to be expired, though there is no new decision
	optOut  bool                     // Config.OptOut holds, of the request as it came
	signal  bool                     // Global Privacy Control, likewise
	told    uint16                   // of the head's lines where it is only reported: see report
}

type filterKey struct{}

// Value makes the filter findable in its own context.
func (f *filter) Value(key any) any {
	if key == (filterKey{}) {
		return f
	}
	return f.Context.Value(key)
}

// standing returns what the visitor has decided. The signature is checked when
// it is first asked for, and once in a request.
func (f *filter) standing() *standing {
	if s := f.current.Load(); s != nil {
		return s
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current.Load() == nil {
		f.current.Store(f.read())
	}
	return f.current.Load()
}

func (f *filter) read() *standing {
	// A Save between two of the same middleware has not reached the request.
	if outer := f.mw.filterOf(f.Context); outer != nil {
		s := *outer.standing()
		s.line = "" // it leaves once
		return &s
	}
	s := f.mw.read(f.cookies)
	if !f.optOut {
		return s
	}
	return s.presume(f.mw.registry, f.signal)
}

// signals reports whether the browser refuses by Global Privacy Control. Of several
// values one is enough, as its section "The Sec-GPC Header Field for HTTP Requests"
// has it.
func signals(r *http.Request) bool { return slices.Contains(r.Header["Sec-Gpc"], "1") }

// hideRefused takes out of the request what the visitor's consent does not
// cover. The filter itself goes by the headers as they came.
func (f *filter) hideRefused() {
	hide := func(name string) bool {
		reason, _ := f.judgeName(name)
		return reason != "" && reason != Undeclared
	}
	var kept []string
	changed := false
	for _, header := range f.request.Header["Cookie"] {
		rest := withdrawal.Without(header, hide)
		changed = changed || rest != header
		if rest != "" {
			kept = append(kept, rest)
		}
	}
	if !changed {
		return
	}
	f.request.Header = maps.Clone(f.request.Header)
	if len(kept) == 0 {
		delete(f.request.Header, "Cookie")
	} else {
		f.request.Header["Cookie"] = kept
	}
}

// decide makes s what the visitor has decided from now on, and line what tells
// the browser. It reports false, and changes nothing, where the head has left.
func (f *filter) decide(s *standing, line string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent {
		return false
	}
	if before := f.current.Load(); before != nil && before.optOut {
		s = s.presume(f.mw.registry, f.signal)
	}
	s.line = line
	f.current.Store(s)
	return true
}

// hasLeft reports whether no line can be added any more.
func (f *filter) hasLeft() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

// FilterHead takes what may not pass out of a head, and adds to the final one
// what a Save left to add. It is called again after that one: a writer outside
// may hold the head back, and send what the map has become by then.
func (f *filter) FilterHead(h http.Header, final bool) (trailer bool) {
	j := judgement{filter: f, header: h}
	var added []string
	if final {
		added = j.leave()
	}
	for key, values := range h {
		switch {
		case isSetCookie(key) && j.mw.reportOnly:
			if final {
				j.report(key, values)
			}
		case isSetCookie(key):
			kept, changed := j.lines(values)
			switch {
			case len(kept) == 0:
				delete(h, key)
			case changed:
				h[key] = kept
			}
		case isTrailerSetCookie(key):
			trailer = true
		case key == "Trailer" && !j.mw.reportOnly:
			h[key] = withoutSetCookie(values)
		}
	}
	if len(added) > 0 {
		h["Set-Cookie"] = append(slices.Clip(h["Set-Cookie"]), added...)
	}
	if j.consented {
		sharedcache.KeepOut(h)
	}
	j.tell()
	return trailer
}

// FilterFields does for a head that a handler writes to a hijacked connection
// what FilterHead does for one that the server writes.
func (f *filter) FilterFields(status int, fields []rawhead.Field) []rawhead.Field {
	j := judgement{filter: f, fields: fields}
	var added []string
	if !rawhead.Informational(status) {
		added = j.leave()
	}
	var kept []rawhead.Field
	for _, field := range fields {
		if isSetCookie(field.Name) {
			line, passes := j.line(field.Value)
			if !passes {
				continue
			}
			if line != field.Value {
				field = rawhead.Field{Name: field.Name, Value: line}
			}
		}
		kept = append(kept, field)
	}
	for _, line := range added {
		kept = append(kept, rawhead.Field{Name: "Set-Cookie", Value: line})
	}
	if j.consented {
		kept = sharedcache.KeepOutFields(kept)
	}
	j.tell()
	return kept
}

// FilterTrailer takes cookies out of the trailer, whatever they are: browsers
// store none from there, but a proxy may move one into the head.
func (f *filter) FilterTrailer(h http.Header) {
	j := judgement{filter: f}
	for key, lines := range h {
		if !isTrailerSetCookie(key) {
			continue
		}
		for _, line := range lines {
			reading := setcookie.Read(line, time.Now)
			j.note(reading.Name(), Removed, InTrailer, line)
		}
		if !f.mw.reportOnly {
			delete(h, key)
		}
	}
	j.tell()
}

// A judgement is passed on the lines of one head.
type judgement struct {
	*filter
	header    http.Header     // of the head; nil for one written by hand
	fields    []rawhead.Field // of one written by hand
	final     bool            // the head is the final one, and leaves for the first time
	consented bool            // something passes by the visitor's consent
	events    []Event         // for tell
}

// now returns the time that browsers take it to be, which the response's own
// Date changes. It is asked only where a date decides.
func (j *judgement) now() time.Time {
	var dates []string
	for key, values := range j.header {
		if strings.EqualFold(key, "Date") {
			dates = append(dates, values...)
		}
	}
	for _, field := range j.fields {
		if strings.EqualFold(field.Name, "Date") {
			dates = append(dates, field.Value)
		}
	}
	return setcookie.Earliest(time.Now(), dates)
}

// leave marks the head as sent and returns the lines that a Save adds to it:
// the signed decision, and those that expire what the decision refuses. It
// comes before any line is judged: from here on no Save changes the answer.
func (j *judgement) leave() []string {
	j.mu.Lock()
	j.final, j.sent = !j.sent, true
	j.mu.Unlock()
	decided := j.current.Load()
	isNew := decided != nil && decided.line != ""
	if !j.final || !isNew && !j.expires {
		return nil
	}
	var lines []string
	if isNew {
		lines = append(lines, decided.line)
	}
	for name := range withdrawal.Names(j.cookies) {
		reason, _ := j.judgeName(name)
		if reason == "" || reason == Undeclared {
			continue
		}
		rule, _ := j.mw.registry.rules.Match(name)
		j.note(name, Expired, reason, "")
		if j.mw.reportOnly {
			continue
		}
		for _, d := range rule.declarations {
			for _, line := range withdrawal.Lines(name, j.request.Host, d.Domain, d.Path) {
				if !slices.Contains(lines, line) {
					lines = append(lines, line)
				}
			}
		}
	}
	j.consented = len(lines) > 0 // they are for this visitor alone
	return lines
}

// lines returns those that pass, and whether they are others than the given ones.
// The given slice may be shared between requests, so that nothing is written to
// it: where a line goes, the others move.
func (j *judgement) lines(given []string) (kept []string, changed bool) {
	for i, line := range given {
		sent, passes := j.line(line)
		if !changed && (!passes || sent != line) {
			changed = true
			if !j.lent {
				j.lent, kept = true, j.room[:0]
			}
			kept = append(kept, given[:i]...)
		}
		if changed && passes {
			kept = append(kept, sent)
		}
	}
	if !changed {
		return given, false
	}
	return kept, true
}

// report judges lines that all stay. The head may be judged again, with lines
// behind those that have been told: each is told once.
func (j *judgement) report(key string, given []string) {
	if key != "Set-Cookie" {
		if j.final {
			j.lines(given)
		}
		return
	}
	j.lines(given[min(int(j.told), len(given)):])
	j.told = uint16(min(len(given), math.MaxUint16))
}

// line decides about one Set-Cookie line, and returns what to send in its place.
func (j *judgement) line(given string) (sent string, passes bool) {
	sent, passes = j.enforced(given)
	if j.mw.reportOnly {
		return given, true
	}
	return sent, passes
}

func (j *judgement) enforced(line string) (sent string, passes bool) {
	reading := setcookie.Read(line, j.now)
	if !reading.Readable && strings.ContainsAny(line, "\r\n") {
		line = strings.TrimSpace(oneLine.Replace(line))
		reading = setcookie.Read(line, j.now)
	}
	switch reading.Deletion {
	case setcookie.Sure:
		return line, true
	case setcookie.Recent:
		return line + "; Max-Age=0", true
	}
	if !reading.Readable {
		j.note("", Removed, Unreadable, line)
		return "", false
	}
	undeclared, consented := false, false
	for _, name := range reading.Names() {
		reason, byConsent := j.judgeName(name)
		switch {
		case reason == Undeclared && j.mw.allowUndeclared:
			undeclared = true
		case reason != "":
			j.note(name, Removed, reason, line)
			return "", false
		case byConsent, name == CookieName: // for this visitor alone
			consented = true
		}
	}
	if undeclared && j.final {
		j.note(reading.Name(), Passed, Undeclared, line)
	} else if !undeclared {
		j.noteDrift(reading.Name(), line)
	}
	j.consented = j.consented || consented && !j.mw.reportOnly
	return line, true
}

// oneLine does what net/http does to a value that holds the end of a line.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// judgeName returns why a cookie of this name may not be set, "" where it may,
// and whether consent is what allows it.
func (f *filter) judgeName(name string) (reason Reason, consented bool) {
	if name == CookieName {
		return "", false
	}
	rule, declared := f.mw.registry.rules.Match(name)
	switch {
	case !declared:
		return Undeclared, false
	case rule.necessary:
		return "", false
	default:
		return f.standing().judge(rule)
	}
}

// withoutSetCookie returns the values of a Trailer field without the name that
// announces cookies. The given slice may be shared between requests.
func withoutSetCookie(announced []string) []string {
	kept := make([]string, len(announced))
	for i, value := range announced {
		names := slices.DeleteFunc(strings.Split(value, ","), func(name string) bool {
			return isSetCookie(strings.TrimSpace(name))
		})
		kept[i] = strings.Join(names, ",")
	}
	return kept
}

func isSetCookie(key string) bool {
	return key == "Set-Cookie" || len(key) == len("Set-Cookie") && strings.EqualFold(key, "Set-Cookie")
}

func isTrailerSetCookie(key string) bool {
	const trailer = http.TrailerPrefix + "Set-Cookie"
	return len(key) == len(trailer) && strings.EqualFold(key, trailer)
}
