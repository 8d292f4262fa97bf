package consent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/setcookie"
	"github.com/cookiecharter/consent/internal/sharedcache"
	"github.com/cookiecharter/consent/internal/signature"
	"github.com/cookiecharter/consent/internal/withdrawal"
	"github.com/cookiecharter/consent/internal/writer"
)

// A Config is what a [Middleware] is made of. Registry and Keys are required;
// every other field's zero value is right for a site on https.
type Config struct {
	// Registry holds the declarations of the site. Required.
	Registry *Registry

	// Keys sign the visitor's decision: the first signs, all verify, so that a
	// new key goes first and the old one stays until what it signed has
	// expired. Each is secret, random and at least 32 bytes long. Required.
	Keys [][]byte

	// AllowUndeclared lets cookies pass that nobody declared, for a site that
	// adopts the library step by step.
	AllowUndeclared bool

	// Lifetime is how long a decision stands, in whole seconds; less than one
	// is a mistake. Zero means 180 days, about the six months that the CNIL
	// calls good practice (recommendation of 17 September 2020 on cookies and
	// other tracers). Browsers keep no cookie for longer than 400 days.
	Lifetime time.Duration

	// Revision asks every visitor again when it is raised: a decision taken
	// under a lower one is no consent.
	Revision uint64

	// Domain is the Domain attribute of the preferences cookie, a host name such
	// as "example.org", for a decision that the hosts below it share. Empty
	// means the host alone.
	Domain string

	// Insecure leaves the Secure attribute off the preferences cookie, for
	// development on plain http.
	Insecure bool

	// HttpOnly hides the preferences cookie from the scripts of a page, which
	// can then not read what is allowed.
	HttpOnly bool

	// Observe, if not nil, is told what became of cookies, at the moment when
	// the head of a response leaves and in the goroutine that sends it.
	Observe func(*http.Request, Event)
}

// An Event tells what became of one cookie in one response: its name, never
// its value.
type Event struct {
	Cookie  string // as the browser would name it; "" for one without a name
	Outcome Outcome
	Reason  Reason
}

// An Outcome is what the middleware did with a cookie.
type Outcome string

const (
	Removed Outcome = "removed" // the line that would have set it was taken out
	Expired Outcome = "expired" // the browser was told to delete it, as the visitor refuses it
	Passed  Outcome = "passed"  // it went through for want of a declaration
)

// A Reason is why a cookie was removed or expired, or worth a mention.
type Reason string

const (
	Undeclared Reason = "undeclared" // nobody declared a cookie of this name
	Undecided  Reason = "undecided"  // the visitor has not answered for it
	Refused    Reason = "refused"    // the visitor has refused it
	Objected   Reason = "objected"   // the visitor objects to anonymous statistics
	Unreadable Reason = "unreadable" // no browser reads the line, or not for certain
)

// ErrOutside is returned by [Middleware.Save] for a request that did not come
// through [Middleware.Wrap] of the same middleware.
var ErrOutside = errors.New("consent: Save: the request did not come through this middleware's Wrap")

// ErrTooLate is returned by [Middleware.Save] where the head of the response
// has left already, and no cookie can be set any more.
var ErrTooLate = errors.New("consent: Save: the head of the response has been sent")

// A Middleware removes what a visitor has not consented to from the responses
// of the handlers that it wraps. Make it with [NewMiddleware]. It is safe for
// concurrent use.
type Middleware struct {
	registry        *Registry
	signer          *signature.Signer
	cookie          http.Cookie // the preferences cookie, without a value
	revision        uint64
	allowUndeclared bool
	observe         func(*http.Request, Event)
	undecided       *standing // of every visitor without a decision
}

// defaultLifetime is six months in days: see [Config.Lifetime].
const defaultLifetime = 180 * 24 * time.Hour

// minKey is what RFC 2104 section 3 asks of a key: as many bytes as the hash
// has, here SHA-256.
const minKey = 32

// NewMiddleware makes a middleware. The error holds every mistake in the
// config, each as a [*FieldError], joined by [errors.Join].
func NewMiddleware(config Config) (*Middleware, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	if config.Lifetime == 0 {
		config.Lifetime = defaultLifetime
	}
	m := &Middleware{
		registry:        config.Registry,
		signer:          signature.New(CookieName, config.Keys, config.Lifetime),
		undecided:       config.Registry.undecided(),
		revision:        config.Revision,
		allowUndeclared: config.AllowUndeclared,
		observe:         config.Observe,
		cookie: http.Cookie{
			Name:     CookieName,
			Path:     "/",
			Domain:   config.Domain,
			MaxAge:   int(config.Lifetime / time.Second),
			Secure:   !config.Insecure,
			HttpOnly: config.HttpOnly,
			SameSite: http.SameSiteLaxMode,
		},
	}
	// Every decision has the length of this one, so that no visitor's fails.
	if _, err := m.sign(m.decide(AcceptAll(), time.Now())); err != nil {
		return nil, &FieldError{Index: -1, Field: "Registry", Reason: err.Error()}
	}
	return m, nil
}

func (c *Config) validate() error {
	var mistakes []error
	wrong := func(field, reason string, args ...any) {
		mistakes = append(mistakes, &FieldError{Index: -1, Field: field, Reason: fmt.Sprintf(reason, args...)})
	}
	if c.Registry == nil {
		wrong("Registry", "is nil")
	}
	if len(c.Keys) == 0 {
		wrong("Keys", "holds no key")
	}
	for i, key := range c.Keys {
		if len(key) < minKey {
			wrong(fmt.Sprintf("Keys[%d]", i), "has %d bytes; a key has at least %d", len(key), minKey)
		}
	}
	switch {
	case c.Lifetime < 0:
		wrong("Lifetime", "%v is negative; zero means 180 days", c.Lifetime)
	case c.Lifetime > 0 && c.Lifetime < time.Second:
		wrong("Lifetime", "%v is less than a second, the unit in which cookies expire", c.Lifetime)
	}
	if c.Domain != "" {
		// net/http has the last word, since it writes the cookie.
		if reason := badDomain(c.Domain); reason != "" {
			wrong("Domain", "%q %s", c.Domain, reason)
		} else if (&http.Cookie{Name: CookieName, Domain: c.Domain}).Valid() != nil {
			wrong("Domain", "%q is not a host name", c.Domain)
		}
	}
	return errors.Join(mistakes...)
}

// Wrap returns a handler that serves as next does, but for the cookies that
// the visitor has not consented to. The writer that next gets has exactly the
// abilities of the server's. Lines are judged when the head of the response
// leaves, by what the visitor has decided then.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(next, w, r) })
}

// serve is not a part of the function in Wrap, so that the compiler can see
// here that the copy which WithContext makes lives no longer than its line.
func (m *Middleware) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	f := &filter{Context: r.Context(), mw: m, cookies: r.Header["Cookie"]}
	f.request = *r.WithContext(f)
	guarded := writer.Wrap(&f.Writer, w, f)
	defer writer.Finish(&f.Writer)
	next.ServeHTTP(guarded, &f.request)
}

// Registry returns the declarations that the middleware goes by.
func (m *Middleware) Registry() *Registry { return m.registry }

// Revision returns [Config.Revision].
func (m *Middleware) Revision() uint64 { return m.revision }

// FromContext returns the preferences of the visitor whose request the context
// belongs to. For a context that did not come through [Middleware.Wrap] they
// are the strictest: the zero Preferences.
func FromContext(ctx context.Context) Preferences {
	f, _ := ctx.Value(filterKey{}).(*filter)
	return Preferences{f}
}

// Save records the visitor's choice, in place of an earlier one, and takes
// effect at once: for [FromContext], for every line that this response sets,
// and for the declared cookies that the request carries and the choice
// refuses, which are expired. A later Save in the same request replaces it. The
// lines that it adds go to the writer that Wrap has made for r, whatever wraps
// that one; w is asked for because Save writes to the response.
//
// The error is [ErrOutside] or [ErrTooLate], or one [*ChoiceError] or several
// joined. Nothing has changed where there is one. What Save cannot know is that
// an [http.TimeoutHandler] outside of Wrap has answered in its place.
func (m *Middleware) Save(_ http.ResponseWriter, r *http.Request, choice Choice) error {
	f := m.filterOf(r.Context())
	if f == nil {
		return ErrOutside
	}
	if err := choice.check(m.registry); err != nil {
		return err
	}
	d := m.decide(choice, time.Now())
	line, err := m.sign(d)
	if err != nil {
		return err
	}
	if !f.decide(m.weigh(d), line) {
		return ErrTooLate
	}
	// Where m wraps a handler that it wraps already, the outer filter goes by
	// the same decision; the line leaves once.
	for f = m.filterOf(f.Context); f != nil; f = m.filterOf(f.Context) {
		f.decide(m.weigh(d), "")
	}
	return nil
}

// filterOf finds m's own filter where several middlewares wrap one another.
func (m *Middleware) filterOf(ctx context.Context) *filter {
	for {
		f, _ := ctx.Value(filterKey{}).(*filter)
		if f == nil || f.mw == m {
			return f
		}
		ctx = f.Context
	}
}

// A filter is the middleware at work on one request: the request itself, its
// context and its writer in one, so that it takes a single allocation.
type filter struct {
	context.Context
	writer.Writer
	mw      *Middleware
	request http.Request
	cookies []string  // the Cookie headers, as they came
	room    [3]string // for lines that stay where others go

	current atomic.Pointer[standing] // nil until somebody asks
	mu      sync.Mutex               // orders what sets current, and the end of the head
	sent    bool                     // the final head has left
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
		f.current.Store(f.mw.read(f.cookies))
	}
	return f.current.Load()
}

// decide makes s what the visitor has decided from now on. It reports false,
// and changes nothing, where the head has left. The line is for that head.
func (f *filter) decide(s *standing, line string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent {
		return false
	}
	s.line = line
	f.current.Store(s)
	return true
}

// FilterHead takes what may not pass out of a head, and adds to the final one
// what a Save left to add.
func (f *filter) FilterHead(h http.Header, final bool) {
	var added []string
	if final {
		// Before any line is judged: from here on no Save changes the answer.
		added = f.leave()
	}
	consented := len(added) > 0
	now := func() time.Time { return setcookie.Earliest(time.Now(), dates(h)) }
	for key, lines := range h {
		if !isSetCookie(key) {
			continue
		}
		var room []string
		if key == "Set-Cookie" { // every other spelling is too rare to have room of its own
			room = f.room[:0]
		}
		kept, some := f.filterLines(lines, room, now)
		consented = consented || some
		if len(kept) == 0 {
			delete(h, key)
		} else {
			h[key] = kept
		}
	}
	if len(added) > 0 {
		h["Set-Cookie"] = append(slices.Clip(h["Set-Cookie"]), added...)
	}
	if consented {
		sharedcache.KeepOut(h)
	}
}

// FilterTrailer takes cookies out of the trailer, whatever they are: browsers
// store none from there, but a proxy may move one into the head.
func (f *filter) FilterTrailer(h http.Header) {
	const trailer = http.TrailerPrefix + "Set-Cookie"
	for key := range h {
		if len(key) == len(trailer) && strings.EqualFold(key, trailer) {
			delete(h, key)
		}
	}
}

// FilterFields does for a head that a handler writes to a hijacked connection
// what FilterHead does for one that the server writes.
func (f *filter) FilterFields(status int, fields []rawhead.Field) []rawhead.Field {
	var added []string
	if !rawhead.Informational(status) {
		added = f.leave()
	}
	consented := len(added) > 0
	var dates []string
	for _, field := range fields {
		if strings.EqualFold(field.Name, "Date") {
			dates = append(dates, field.Value)
		}
	}
	now := func() time.Time { return setcookie.Earliest(time.Now(), dates) }
	kept := fields[:0]
	for _, field := range fields {
		if isSetCookie(field.Name) {
			line, verdict := f.judge(field.Value, now)
			if verdict == remove {
				continue
			}
			if line != field.Value {
				field = rawhead.Field{Name: field.Name, Value: line}
			}
			consented = consented || verdict == passByConsent
		}
		kept = append(kept, field)
	}
	for _, line := range added {
		kept = append(kept, rawhead.Field{Name: "Set-Cookie", Value: line})
	}
	if consented {
		kept = sharedcache.KeepOutFields(kept)
	}
	return kept
}

// filterLines returns the lines that pass, and whether one of them does by
// consent. The given slice may be shared between requests, so that nothing is
// written to it: where a line goes, the others move to room.
func (f *filter) filterLines(lines, room []string, now func() time.Time) (kept []string, consented bool) {
	changed := false
	for i, line := range lines {
		passed, verdict := f.judge(line, now)
		if !changed && (verdict == remove || passed != line) {
			changed = true
			kept = append(room, lines[:i]...)
		}
		if changed && verdict != remove {
			kept = append(kept, passed)
		}
		consented = consented || verdict == passByConsent
	}
	if !changed {
		kept = lines
	}
	return kept, consented
}

type verdict uint8

const (
	remove verdict = iota
	pass
	passByConsent
)

// judge decides about one Set-Cookie line and returns the text to send. now is
// the time that browsers take it to be, which the response's own Date changes.
func (f *filter) judge(line string, now func() time.Time) (string, verdict) {
	reading := setcookie.Read(line, now)
	switch reading.Deletion {
	case setcookie.Sure:
		return line, pass
	case setcookie.Recent:
		return line + "; Max-Age=0", pass
	}
	if !reading.Readable {
		f.tell("", Removed, Unreadable)
		return "", remove
	}
	verdict := pass
	for _, name := range reading.Names() {
		reason, consented := f.judgeName(name)
		switch {
		case reason == Undeclared && f.mw.allowUndeclared:
			f.tell(name, Passed, Undeclared)
		case reason != "":
			f.tell(name, Removed, reason)
			return "", remove
		case consented:
			verdict = passByConsent
		}
	}
	return line, verdict
}

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

// leave marks the head as sent and returns the lines that a Save adds to it:
// the signed decision, and those that expire what the decision refuses. From
// here on another Save comes too late.
func (f *filter) leave() []string {
	f.mu.Lock()
	left := f.sent
	f.sent = true
	f.mu.Unlock()
	decided := f.current.Load()
	if left || decided == nil || decided.line == "" {
		return nil
	}
	lines := []string{decided.line}
	for name := range withdrawal.Names(f.cookies) {
		reason, _ := f.judgeName(name)
		if reason == "" || reason == Undeclared {
			continue
		}
		rule, _ := f.mw.registry.rules.Match(name)
		for _, d := range rule.declarations {
			for _, line := range withdrawal.Lines(name, f.request.Host, d.Domain, d.Path) {
				if !slices.Contains(lines, line) {
					lines = append(lines, line)
				}
			}
		}
		f.tell(name, Expired, reason)
	}
	return lines
}

func (f *filter) tell(cookie string, outcome Outcome, reason Reason) {
	if f.mw.observe != nil {
		f.mw.observe(&f.request, Event{cookie, outcome, reason})
	}
}

// dates returns the Date fields of a header.
func dates(h http.Header) []string {
	var all []string
	for key, values := range h {
		if strings.EqualFold(key, "Date") {
			all = append(all, values...)
		}
	}
	return all
}

func isSetCookie(key string) bool {
	return key == "Set-Cookie" || len(key) == len("Set-Cookie") && strings.EqualFold(key, "Set-Cookie")
}
