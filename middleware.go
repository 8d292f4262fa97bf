package consent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/signature"
	"github.com/cookiecharter/consent/internal/writer"
)

// A Config is what a [Middleware] is made of. Registry and Keys are required;
// every other field's zero value is right for a site on https.
type Config struct {
	// Registry holds the declarations of the site. Required.
	Registry *Registry

	// Keys sign the visitor's decision: the first signs, all verify, so that a
	// new key goes first and the old one stays until what it signed has
	// expired. Where several processes serve a site, the new key goes last in
	// all of them before it goes first in one, or the others would not know what
	// it signs. Each is secret, random and at least 32 bytes long. Required.
	Keys [][]byte

	// AllowUndeclared lets cookies pass that nobody declared, for a site that
	// adopts the library step by step.
	AllowUndeclared bool

	// ReportOnly changes nothing in any response, but for the decision that a
	// Save adds: everything is judged, and Observe is told what would have become
	// of it. It is for a site that does not know its cookies yet.
	ReportOnly bool

	// HideRefused keeps declared cookies that the visitor has not consented to
	// from the handlers below, as though the browser had not sent them. The rest
	// of the Cookie header stays byte for byte.
	HideRefused bool

	// OptOut, if not nil, says of a request whether the visitor's law is opt-out:
	// what needs consent then passes until it is refused. A request with "Sec-GPC:
	// 1" refuses third parties by it (Global Privacy Control, "Legal Effects"), until
	// the visitor answers otherwise; where OptOut does not hold, the header
	// changes nothing. Nil means that it never holds. The function must not wait
	// for anything, and knows no Preferences.
	OptOut func(*http.Request) bool

	// Lifetime is how long a decision stands, in whole seconds: a fraction is cut
	// off, and less than one is a mistake. Zero means 180 days, about the six
	// months that the CNIL calls good practice (recommendation of 17 September
	// 2020 on cookies and other tracers). Browsers keep no cookie for longer than
	// 400 days.
	Lifetime time.Duration

	// Revision asks every visitor again when it is raised: a decision taken
	// under a lower one is no consent.
	Revision uint64

	// Domain is the Domain attribute of the preferences cookie, a host name such
	// as "example.org", for a decision that the hosts below it share. Browsers
	// ignore the cookie on any other host, such as localhost in development. Empty
	// means the host alone.
	Domain string

	// Insecure leaves the Secure attribute off the preferences cookie, for
	// development on plain http.
	Insecure bool

	// HttpOnly hides the preferences cookie from the scripts of a page, which
	// can then not read what is allowed.
	HttpOnly bool

	// Observe, if not nil, is told what became of cookies, at the moment when
	// the head of a response leaves and in the goroutine that sends it. [LogTo]
	// makes one that writes to a log.
	Observe func(*http.Request, Event)

	// Recorder, if not nil, keeps proof of each decision, under a random
	// [Reference] that then travels in the preferences cookie. Nothing is allowed
	// before the recorder has kept it; a refusal waits for nothing. Nil records
	// nothing.
	Recorder Recorder
}

// ErrOutside is returned for a request that did not come through
// [Middleware.Wrap] of the same middleware.
var ErrOutside = errors.New("consent: the request did not come through this middleware's Wrap, which belongs around the whole site")

// ErrTooLate is returned where the head of the response has left already, and no
// cookie can be set any more.
var ErrTooLate = errors.New("consent: the head of the response has been sent")

// A Middleware removes what a visitor has not consented to from the responses
// of the handlers that it wraps. Make it with [NewMiddleware]. It is safe for
// concurrent use.
type Middleware struct {
	registry        *Registry
	signer          *signature.Signer
	cookie          http.Cookie // the preferences cookie, without a value
	revision        uint64
	allowUndeclared bool
	reportOnly      bool
	hideRefused     bool
	optOut          func(*http.Request) bool
	observe         func(*http.Request, Event)
	recorder        Recorder
	notice          *Notice   // of the declarations alone, for records that have no other
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
		reportOnly:      config.ReportOnly,
		hideRefused:     config.HideRefused && !config.ReportOnly,
		optOut:          config.OptOut,
		observe:         config.Observe,
		recorder:        config.Recorder,
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
	longest := m.record(AcceptAll(), time.Now())
	if m.recorder != nil {
		m.notice = m.registry.Notice(language.Und, language.Und, nil)
		longest.Reference = newReference()
	}
	// Every decision has the length of this one, so that no visitor's fails.
	if _, err := m.sign(m.decision(longest)); err != nil {
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
		field := fmt.Sprintf("Keys[%d]", i)
		if len(key) < minKey {
			wrong(field, "has %d bytes; a key has at least %d", len(key), minKey)
		} else if bytes.Count(key, []byte{0}) == len(key) {
			wrong(field, "is all zero; fill it from crypto/rand, or from your secrets")
		}
	}
	if v := reflect.ValueOf(c.Recorder); v.Kind() == reflect.Pointer && v.IsNil() {
		wrong("Recorder", "holds a nil %T; leave the field out to record nothing", c.Recorder)
	}
	if reason := badLifetime(c.Lifetime, "180 days"); reason != "" {
		wrong("Lifetime", "%v %s", c.Lifetime, reason)
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
	f := &filter{Context: r.Context(), mw: m, cookies: strings.Join(r.Header["Cookie"], "; ")}
	if m.optOut != nil {
		// Before a handler can change the request, which knows nothing of this filter:
		// what the site's function decides, it cannot ask for.
		f.optOut, f.signal = m.optOut(r), signals(r)
	}
	if r.ContentLength < 0 && r.Trailer == nil {
		r.Trailer = make(http.Header) // for both requests, since net/http fills it in behind the body
	}
	f.request = *r.WithContext(f)
	if m.hideRefused {
		if outer := m.filterOf(f.Context); outer != nil {
			f.cookies = outer.cookies // which it has hidden
		}
		f.hideRefused()
	}
	guarded := writer.Wrap(&f.Writer, w, f)
	defer func() {
		handBack(r, &f.request)
		writer.Finish(&f.Writer)
	}()
	next.ServeHTTP(guarded, &f.request)
}

// handBack leaves in the request outside what a handler has left in its own:
// net/http removes the files of a form, and loggers look at the pattern, at a
// path that was rewritten or at the address that a proxy names.
func handBack(outside, inside *http.Request) {
	// Others may be reading the request: only a handler that has changed it makes
	// this write to it.
	if outside.Pattern != inside.Pattern {
		outside.Pattern = inside.Pattern
	}
	if inside.Form != nil || inside.MultipartForm != nil {
		outside.Form, outside.PostForm, outside.MultipartForm = inside.Form, inside.PostForm, inside.MultipartForm
	}
	if outside.URL != inside.URL {
		outside.URL = inside.URL
	}
	// Whether there is a body, net/http decides by HEAD anew for each part of it.
	if outside.Method != inside.Method && outside.Method != http.MethodHead && inside.Method != http.MethodHead {
		outside.Method = inside.Method
	}
	if outside.RequestURI != inside.RequestURI {
		outside.RequestURI = inside.RequestURI
	}
	if outside.Host != inside.Host {
		outside.Host = inside.Host
	}
	if outside.RemoteAddr != inside.RemoteAddr {
		outside.RemoteAddr = inside.RemoteAddr
	}
}

// Registry returns the declarations that the middleware goes by.
func (m *Middleware) Registry() *Registry { return m.registry }

// Revision returns [Config.Revision].
func (m *Middleware) Revision() uint64 { return m.revision }

// lifetime returns how long a decision stands.
func (m *Middleware) lifetime() time.Duration { return time.Duration(m.cookie.MaxAge) * time.Second }

// Cookie returns the preferences cookie as [Middleware.Save] sets it, without a
// value.
func (m *Middleware) Cookie() http.Cookie { return m.cookie }

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
// joined. Nothing has changed where there is one. Where [Config.Recorder] has
// failed, the error is [ErrNotRecorded] joined with the recorder's own: nothing new
// is allowed, but what the choice refuses is refused. What Save cannot know is that
// an [http.TimeoutHandler] outside of Wrap has answered in its place.
func (m *Middleware) Save(_ http.ResponseWriter, r *http.Request, choice Choice) error {
	f := m.filterOf(r.Context())
	if f == nil {
		return ErrOutside
	}
	if err := choice.check(m.registry); err != nil {
		return err
	}
	if f.hasLeft() {
		return ErrTooLate
	}
	at := time.Now().Truncate(time.Millisecond)
	if before := f.standing().at; !at.After(before) { // by another server's clock, or one that was set back
		at = before.Add(time.Millisecond)
	}
	record := m.record(choice, at)
	if m.recorder != nil {
		return m.takeOnRecord(f, r, record)
	}
	return m.take(f, m.decision(record))
}

// Restore puts back a decision that was recorded for the same visitor, such as
// one taken on another device before they signed in here, with its time and its
// reference. It takes effect as a [Middleware.Save] does, and is no new decision.
// Nothing happens where the visitor's own decision is as new or newer, or the
// recorded one no longer stands; it covers what it was an answer to, and no more.
// The error is [ErrOutside] or [ErrTooLate].
func (m *Middleware) Restore(_ http.ResponseWriter, r *http.Request, record Record) error {
	f := m.filterOf(r.Context())
	if f == nil {
		return ErrOutside
	}
	record.Time = record.Time.Truncate(time.Millisecond)
	if age := time.Since(record.Time); age >= m.lifetime() || age <= -maxAhead || !record.Time.After(f.standing().at) {
		return nil
	}
	return m.take(f, m.decision(record))
}

// take makes d the visitor's decision, from now on and in this response.
func (m *Middleware) take(f *filter, d *decision.Decision) error {
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

// ExpireRefused has this response expire the declared cookies that the request
// carries and the visitor's consent does not cover, as a [Middleware.Save] does
// that refuses them. A site that set cookies before it asked cleans up with it:
// call it for each page. The error is [ErrOutside] or [ErrTooLate].
func (m *Middleware) ExpireRefused(_ http.ResponseWriter, r *http.Request) error {
	f := m.filterOf(r.Context())
	if f == nil {
		return ErrOutside
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent {
		return ErrTooLate
	}
	f.expires = true
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
