package consent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
	"github.com/cookiecharter/consent/internal/visitor"
	"github.com/cookiecharter/consent/internal/writer"
)

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
	if outer := around.of(m); outer != nil {
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
func (m *Middleware) visitOf(ctx context.Context) *visit { return visitIn(ctx).of(m) }

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
