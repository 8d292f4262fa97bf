package consent

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
	"github.com/cookiecharter/consent/internal/visitor"
	"github.com/cookiecharter/consent/internal/writer"
)

// A Config is what a [Middleware] is made of. Registry and Keys are required;
// every other field's zero value is right for a site on https.
type Config struct {
	// Registry holds the declarations of the site. Required.
	Registry *Registry

	// Keys sign the visitor's decision: the first signs, all verify, so that a
	// new key goes first and the old one stays until what it signed has
	// expired. If several processes serve a site, the new key goes last in all of
	// them before it goes first in one, or the others would not know what it
	// signs. Each is secret, random and at least 32 bytes long. Two sites with the same
	// key take each other's decisions for their own: derive a key for each from one
	// secret, as in hkdf.Key(sha256.New, secret, nil, "consent shop.example", 32) of
	// package crypto/hkdf. Required.
	Keys [][]byte

	// AllowUndeclared lets cookies pass that nobody declared, while a site adopts
	// the library step by step.
	AllowUndeclared bool

	// ReportOnly changes nothing in any response, except that a Save adds its
	// decision, and that what shows something of a visitor is private: every line is
	// judged, and Observe gets what would have become of it. It is for a site that does
	// not know its cookies yet.
	ReportOnly bool

	// HideRefused hides declared cookies that the visitor has not consented to from
	// the handlers below, as if the browser had not sent them. The rest of the
	// Cookie header stays byte for byte.
	HideRefused bool

	// ExpireUndecided also expires what the visitor has not answered for, for a site
	// that set cookies before it asked. What they refuse is always expired.
	ExpireUndecided bool

	// Regime, if not nil, says which law applies to a request: see [Regime]. Nil means
	// [OptIn]. The function must not wait for anything, and cannot ask for Preferences.
	// [ByCountry] makes one that goes by a CDN's header.
	Regime func(*http.Request) Regime

	// Lifetime is how long a decision stands, in whole seconds: a fraction is cut
	// off, and less than one second is a mistake. Zero means 180 days, about the six
	// months that the CNIL calls good practice (recommendation of 17 September
	// 2020 on cookies and other tracers). Browsers keep no cookie for longer than
	// 400 days.
	Lifetime time.Duration

	// Revision asks every visitor again when it is raised: a decision taken
	// under a lower one is no consent.
	Revision uint64

	// CookieName is the name of the preferences cookie. Applications on one host that
	// declare different cookies need different names, or paths, or each would
	// overwrite the decision of the other one; ports do not keep cookies apart (RFC
	// 6265 section 8.5). A name that begins with "__Host-" keeps the hosts of the same
	// domain from planting a decision that they took from somebody else. Empty means
	// the constant [CookieName].
	CookieName string

	// FormerCookieName is the name that the preferences cookie had before. A decision
	// under it counts until the visitor decides under the new name. Take it out again
	// after a Lifetime. Empty means none.
	FormerCookieName string

	// CookiePath is the Path attribute of the preferences cookie, for an application
	// that lies below a path of its host. A decision for one path is worth nothing for
	// another one. Empty means "/".
	CookiePath string

	// Domain is the Domain attribute of the preferences cookie, a host name such
	// as "example.org", for a decision that the hosts below it share. On any other
	// host, such as localhost in development, browsers ignore the cookie. Empty
	// means the host alone.
	Domain string

	// Insecure leaves the Secure attribute off the preferences cookie, for
	// development on plain http.
	Insecure bool

	// HttpOnly hides the preferences cookie from the scripts of a page, which then
	// cannot read what is allowed.
	HttpOnly bool

	// Framed is for a site that lives in frames of other sites: the preferences
	// cookie then says "SameSite=None; Partitioned", so that browsers keep a decision
	// in each of those sites (CHIPS: Cookies Having Independent Partitioned State).
	// Otherwise it says "SameSite=Lax", and in such a frame nothing is presumed and
	// nobody is asked.
	Framed bool

	// Failed, if not nil, is told of a mistake of the site that shows only when it
	// runs, each kind once: [ErrPublic], [ErrShownTooLate], [ErrNotKept],
	// [ErrBypassed], [ErrReturned]. Nil means that [slog.Default] logs it.
	Failed func(*http.Request, error)

	// Observe, if not nil, gets an event for what became of each cookie, when the
	// head of a response leaves and in the goroutine that sends it. [LogTo] makes
	// one that writes to a log.
	Observe func(*http.Request, Event)

	// Recorder, if not nil, keeps proof of each decision, under a random
	// [Reference] that then travels in the preferences cookie. Nothing is allowed
	// before the recorder has kept the consent; a refusal waits for nothing. Nil
	// records nothing.
	Recorder Recorder
}

// ErrOutside is returned for a request that did not come through
// [Middleware.Wrap] of the same middleware.
var ErrOutside = errors.New("consent: the request did not come through this middleware's Wrap, which belongs around the whole site")

// ErrTooLate is returned if the head of the response has left already, so that no
// cookie can be set any more.
var ErrTooLate = errors.New("consent: the head of the response has been sent")

// A Middleware removes what a visitor has not consented to from the responses
// of the handlers that it wraps. Make it with [NewMiddleware]. It is safe for
// concurrent use.
type Middleware struct {
	registry    *Registry
	cookie      *preference.Cookie
	account     *account.Cookie
	site        *visitor.Site
	filter      filter.Config
	revision    uint64
	hideRefused bool
	framed      bool
	domain      string // Config.Domain, in lower case and without the dot that may begin it
	regime      func(*http.Request) Regime
	recorder    Recorder
	notice      *Notice // of the declarations alone, for records that have no other
	mistakes    mistakes
	writers     writer.Kinds
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
	cookie := preference.New(config.cookie(), config.FormerCookieName, config.Keys)
	m := &Middleware{
		registry: config.Registry,
		cookie:   cookie,
		account:  account.New(cookie.Attributes(), config.Keys),
		site:     visitor.NewSite(&config.Registry.policy, cookie, config.Revision, presumption),
		filter: filter.Config{
			AllowUndeclared: config.AllowUndeclared,
			ReportOnly:      config.ReportOnly,
			ExpireUndecided: config.ExpireUndecided,
			Observe:         config.observer(),
		},
		revision:    config.Revision,
		hideRefused: config.HideRefused && !config.ReportOnly,
		framed:      config.Framed,
		domain:      strings.ToLower(strings.TrimPrefix(config.Domain, ".")),
		regime:      config.Regime,
		recorder:    config.Recorder,
		mistakes:    mistakes{failed: config.Failed},
	}
	m.site.Owner = m
	m.filter.Public = func(r *http.Request) { m.mistakes.tell(r, ErrPublic) }
	if m.recorder != nil {
		m.notice = m.registry.Notice(language.Und, language.Und, nil)
	}
	if err := m.checkSize(); err != nil {
		return nil, err
	}
	return m, nil
}

// cookie returns the preferences cookie, without a value.
func (c *Config) cookie() http.Cookie {
	cookie := http.Cookie{
		Name:     cmp.Or(c.CookieName, CookieName),
		Path:     cmp.Or(c.CookiePath, "/"),
		Domain:   c.Domain,
		MaxAge:   int(c.Lifetime / time.Second),
		Secure:   !c.Insecure,
		HttpOnly: c.HttpOnly,
		SameSite: http.SameSiteLaxMode,
	}
	if c.Framed {
		cookie.SameSite, cookie.Partitioned = http.SameSiteNoneMode, true
	}
	return cookie
}

// checkSize makes sure that every decision fits into a cookie: none is longer than the
// one that refuses everything.
func (m *Middleware) checkSize() error {
	longest := newRecord(RefuseAll(), m.policy(), m.policy().Undecided(), m.revision, time.Now())
	if m.recorder != nil {
		longest.Reference = newReference()
	}
	if _, err := m.cookie.Line(longest.decision(m.policy(), longest.restored)); err != nil {
		return &FieldError{Index: -1, Field: "Registry", Reason: fmt.Sprintf(
			"%d providers that need consent are more than a cookie has room for; declare fewer, or several under one name", len(m.policy().Parties()))}
	}
	return nil
}

func (c *Config) validate() error {
	var mistakes mistakeList
	wrong := mistakes.in(FieldError{Index: -1})
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
	if err := attribute.CheckLifetime(c.Lifetime, "180 days"); err != nil {
		wrong("Lifetime", "%v %v", c.Lifetime, err)
	}
	c.validateCookie(wrong)
	return mistakes.err()
}

// validateCookie checks what becomes the preferences cookie. net/http has the last
// word on each part, since it writes the cookie.
func (c *Config) validateCookie(wrong func(field, reason string, args ...any)) {
	name := cmp.Or(c.CookieName, CookieName)
	for _, field := range []struct{ name, value string }{{"CookieName", c.CookieName}, {"FormerCookieName", c.FormerCookieName}} {
		if field.value != "" && (&http.Cookie{Name: field.value}).Valid() != nil {
			wrong(field.name, "%q is no name of a cookie", field.value)
		}
	}
	if c.FormerCookieName == name {
		wrong("FormerCookieName", "%q is the present name", name)
	}
	for _, field := range []struct{ name, value string }{{"CookieName", name}, {"FormerCookieName", c.FormerCookieName}} {
		declared := func(cookie Cookie) bool { return cookie.Name == field.value && cookie.Category != Necessary }
		if c.Registry != nil && slices.ContainsFunc(c.Registry.Lookup(field.value), declared) {
			wrong(field.name, "%q is declared, and not as Necessary; it remembers the visitor's choice", field.value)
		}
	}
	if c.CookiePath != "" {
		if err := attribute.CheckPath(c.CookiePath); err != nil {
			wrong("CookiePath", "%q %v", c.CookiePath, err)
		} else if (&http.Cookie{Name: CookieName, Path: c.CookiePath}).Valid() != nil {
			wrong("CookiePath", "%q is no path of a cookie", c.CookiePath)
		}
	}
	if c.Domain != "" {
		if err := attribute.CheckDomain(c.Domain); err != nil {
			wrong("Domain", "%q %v", c.Domain, err)
		} else if (&http.Cookie{Name: CookieName, Domain: c.Domain}).Valid() != nil {
			wrong("Domain", "%q is not a host name", c.Domain)
		}
	}
	c.validatePrefix(name, wrong)
	if c.Framed && c.Insecure {
		wrong("Framed", "browsers keep such a cookie only if it is Secure, so that Insecure cannot be set")
	}
}

// validatePrefix checks what browsers ask of a name that begins so (RFC 6265bis
// section 4.1.3; the Http ones are Chromium's).
func (c *Config) validatePrefix(name string, wrong func(field, reason string, args ...any)) {
	lower := strings.ToLower(name)
	host := strings.HasPrefix(lower, "__host-")
	http := strings.HasPrefix(lower, "__http-") || strings.HasPrefix(lower, "__host-http-")
	if (host || http || strings.HasPrefix(lower, "__secure-")) && c.Insecure {
		wrong("CookieName", "%q: browsers keep such a cookie only if it is Secure, so that Insecure cannot be set", name)
	}
	if http && !c.HttpOnly {
		wrong("CookieName", "%q: browsers keep such a cookie only if HttpOnly is set", name)
	}
	if host && c.Domain != "" {
		wrong("CookieName", "%q: browsers keep such a cookie only if it has no Domain", name)
	}
	if host && c.CookiePath != "" && c.CookiePath != "/" {
		wrong("CookieName", "%q: browsers keep such a cookie only if its path is \"/\"", name)
	}
}

// Wrap returns a handler that serves as next does, except for the cookies that
// the visitor has not consented to. The writer that next gets has the optional
// interfaces of the server's, and no others. Lines are judged when the head of the
// response leaves, by what the visitor has decided then.
//
// Wrap panics if next is nil, as [http.Handle] does.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	if v := reflect.ValueOf(next); !v.IsValid() || (v.Kind() == reflect.Func || v.Kind() == reflect.Pointer) && v.IsNil() {
		panic("consent: Wrap: the handler is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(next, w, r) })
}

// serve is a method of its own, since the compiler cannot see inside of the
// function in Wrap that the copy which WithContext makes lives no longer than its
// line. That saves the allocation of a whole http.Request.
func (m *Middleware) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	v := &visit{Context: r.Context()}
	around := v.around() // looked for once: a context may be a long chain
	var outside *visitor.Visitor
	var filterOutside *filter.Filter
	var law visitor.Law
	if outer := around.to(m); outer != nil {
		outside, filterOutside = outer.visitor(), &outer.filter
	} else {
		// Before a handler can change the request. The request knows nothing of this
		// visit, since the law decides what a question to it would answer.
		law = m.lawOf(r)
		if m.domain != "" {
			m.checkHost(r)
		}
	}
	if r.ContentLength < 0 && r.Trailer == nil {
		// net/http fills the map in when the body has been read, for both requests.
		r.Trailer = make(http.Header)
	}
	v.request = *r.WithContext(v)
	for outer := around; outer != nil; outer = outer.around() {
		if outer.middleware() != m {
			outer.visitor().Site().Contains(m.site)
		}
	}
	v.visitor().Init(m.site, strings.Join(r.Header["Cookie"], "; "), law, outside)
	v.filter.Init(&m.filter, &v.request, r, filterOutside)
	if m.hideRefused {
		v.hideRefused()
	}
	guarded := writer.Wrap(&v.writer, w, &v.filter, &m.writers)
	defer v.handBack(r) // last, since it changes r, by which the filter goes
	defer func() {
		writer.Finish(&v.writer)
		v.visitor().Return()
	}()
	next.ServeHTTP(guarded, &v.request)
}

// visitOf finds m's own visit if several middlewares wrap one another; nil if
// the context did not come through m.
func (m *Middleware) visitOf(ctx context.Context) *visit { return visitIn(ctx).to(m) }

// Registry returns the declarations that the middleware goes by.
func (m *Middleware) Registry() *Registry { return m.registry }

// Revision returns [Config.Revision].
func (m *Middleware) Revision() uint64 { return m.revision }

// Records reports whether decisions are recorded: whether there is a [Config.Recorder], and so
// whether anybody reads the [Evidence] of a choice.
func (m *Middleware) Records() bool { return m.recorder != nil }

// FormerCookieName returns [Config.FormerCookieName].
func (m *Middleware) FormerCookieName() string { return m.cookie.Former() }

// Cookie returns the preferences cookie as [Middleware.Save] sets it, without a
// value.
func (m *Middleware) Cookie() http.Cookie { return m.cookie.Attributes() }

func (m *Middleware) policy() *policy.Policy { return &m.registry.policy }

// Save makes a choice the visitor's decision, in place of an earlier one. It takes
// effect at once: for [FromContext], for every line that this response sets, and
// for the declared cookies that the request carries and the choice refuses, which
// this response expires. A later Save in the same request replaces it. Its lines
// go to the writer that Wrap has made for r, whatever wraps that one; w shows whether
// the handler writes there too, and may be nil if it has none.
//
// The error is [ErrOutside], [ErrBypassed] or [ErrTooLate], or one [*ChoiceError] or
// several joined. Nothing has changed if there is one. If [Config.Recorder] has failed, the
// error is [ErrNotRecorded] joined with the recorder's own: nothing new is allowed,
// but what the choice refuses is refused. Save cannot know that an
// [http.TimeoutHandler] outside of Wrap has answered in its place.
func (m *Middleware) Save(w http.ResponseWriter, r *http.Request, choice Choice) error {
	v := m.visitOf(r.Context())
	if v == nil {
		return ErrOutside
	}
	if writer.Bypasses(&v.writer, w) {
		m.mistakes.tell(r, ErrBypassed)
		return ErrBypassed
	}
	if err := choice.check(m.policy()); err != nil {
		return err
	}
	if v.visitor().HasReturned() {
		m.mistakes.tell(r, ErrReturned)
	}
	if v.visitor().HeadSent() { // before a recorder keeps what cannot take effect any more
		return ErrTooLate
	}
	m.checkKept(r)
	before, remembered := v.visitor().Grants(), v.Account()
	err := v.save(r.Context(), choice, v.choiceBefore(choice, remembered))
	if remembered.SignedIn && !v.visitor().Grants().DecidedAt.Equal(before.DecidedAt) { // also if what refuses alone has counted
		v.noteSaved(remembered)
	}
	return err
}

// choiceBefore returns what the visitor had answered before a choice.
func (v *visit) choiceBefore(choice Choice, s account.State) *policy.Grants {
	before := v.visitor().Grants()
	if choice.adds {
		return v.accountsOwn(s, before)
	}
	return before
}

// save makes a choice the visitor's decision, in place of the one before, and records it.
func (v *visit) save(ctx context.Context, choice Choice, before *policy.Grants) error {
	m := v.middleware()
	at := time.Now().Truncate(time.Millisecond)
	if !at.After(before.DecidedAt) {
		// Another server's clock is ahead, or this one was set back: of two decisions
		// the newer counts, and this one must be it.
		at = before.DecidedAt.Add(time.Millisecond)
	}
	record := newRecord(choice, m.policy(), before, m.revision, at)
	record.Regime = Regime(v.lawOf(choice).Regime)
	given := v.given(choice, before)
	if m.recorder == nil {
		return v.decide(record, given)
	}
	if record.Evidence.Notice == nil {
		record.Evidence.Notice = m.notice
	}
	record.GPC, record.Reference = sendsGPC(v.filter.Came()), before.Reference
	if record.Reference == (Reference{}) {
		record.Reference = newReference()
	} else {
		record.Previous = before.DecidedAt.UTC()
	}
	return v.decideOnRecord(ctx, m.recorder, record, given)
}
