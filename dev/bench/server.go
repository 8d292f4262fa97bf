package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/felixge/httpsnoop"
	chi "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/csrf"
	"github.com/jub0bs/cors"
	"github.com/justinas/nosurf"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A contestant is a middleware in one situation, beside the handler that it
// wraps there.
type contestant struct {
	Name    string
	kind    kind
	bare    http.Handler
	wrapped http.Handler
	cookie  string // the Cookie header of the request, if any
	form    bool   // the request is the POST of a form of this site
	token   string // that the form carries, if any
	foreign bool   // the writer is one that nobody knows, in place of a server's
}

type kind int

const (
	null kind = iota // the bare handler itself
	ours
	guard // keeps a session, or refuses forged requests
	other
)

// request is what each contestant is asked, but for the cookie and the form.
func (c contestant) request() *http.Request {
	r := httptest.NewRequest("GET", "http://example.org/", nil)
	if c.form {
		r = httptest.NewRequest("POST", "http://example.org/", nil)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	r.Header.Set("Accept-Language", "en-GB,en;q=0.9")
	r.Header.Set("Origin", origin)
	if c.form {
		r.Header.Set("Origin", "https://example.org")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("X-Csrf-Token", c.token)
	}
	if c.cookie != "" {
		r.Header.Set("Cookie", c.cookie)
	}
	return r
}

// origin is one that the CORS middleware allows.
const origin = "https://partner.example.org"

// body is a short page: what takes longer would hide the middleware.
var body = []byte("<!doctype html><title>A page</title>" + strings.Repeat("<p>A sentence of the page.</p>", 32))

// Lines that the handlers set, and their names.
const (
	necessaryLine  = "sessionid=8d3c0a51b7; Path=/; HttpOnly; SameSite=Lax"
	statisticsLine = "_pk_id.1.1fff=4f1d2c9e8a7b6c5d.1760000000.; Path=/; Max-Age=33955200; SameSite=Lax"
)

// content sends the body, and sets the given lines.
func content(lines ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if len(lines) > 0 {
			w.Header()["Set-Cookie"] = lines
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body) // an error is the client's leaving
	})
}

// A situation is what our middleware is measured in.
type situation struct {
	name     string
	declared int
	lines    []string // that the handler sets
	consents bool     // the request carries a decision that accepts everything
	form     bool
	foreign  bool
	config   consent.Config
}

func (s situation) contestant() (contestant, error) {
	mw, err := middleware(s.declared, s.config)
	if err != nil {
		return contestant{}, err
	}
	c := contestant{Name: "consent: " + s.name, kind: ours, form: s.form, foreign: s.foreign, bare: content(s.lines...), wrapped: mw.Wrap(content(s.lines...))}
	if s.consents {
		c.cookie = decision(mw)
	}
	return c, nil
}

// situations are those that a site meets.
var situations = []situation{
	{name: "no cookie", declared: 10},
	{name: "exempt", declared: 10, lines: []string{necessaryLine}},
	{name: "refused", declared: 10, lines: []string{statisticsLine}},
	{name: "consented", declared: 10, lines: []string{statisticsLine}, consents: true},
	{name: "consented, no cookie", declared: 10, consents: true},
	{name: "consented, a form", declared: 10, lines: []string{statisticsLine}, consents: true, form: true},
	{name: "no cookie, 10,000 declarations", declared: 10_000},
	{name: "refused, 10,000 declarations", declared: 10_000, lines: []string{statisticsLine}},
	{name: "consented, 10,000 declarations", declared: 10_000, lines: []string{statisticsLine}, consents: true},
	{name: "refused, report-only", declared: 10, lines: []string{statisticsLine}, config: consent.Config{ReportOnly: true}},
	{name: "refused, observing", declared: 10, lines: []string{statisticsLine}, config: consent.Config{Observe: func(*http.Request, consent.Event) {}}},
	{name: "no cookie, in a writer of others", declared: 10, foreign: true},
	{name: "refused, in a writer of others", declared: 10, lines: []string{statisticsLine}, foreign: true},
}

// Contestants that a mark goes by.
const (
	floor      = "a context and a writer, no more"
	lookedFor  = "scs LoadAndSave, no session"
	lookedUp   = "scs LoadAndSave, a session"
	verified   = "gorilla/csrf, token known"
	formPassed = "gorilla/csrf, a form"
)

// contestants are the bare handler, ours in each situation, then the others.
func contestants() ([]contestant, error) {
	list := []contestant{{Name: "bare handler", bare: content(), wrapped: content()}}
	for _, s := range situations {
		c, err := s.contestant()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	partners, err := cors.NewMiddleware(cors.Config{Origins: []string{origin}})
	if err != nil {
		return nil, err
	}
	measured := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { httpsnoop.CaptureMetrics(content(), w, r) })
	protected := http.NewCrossOriginProtection().Handler(content())
	list = append(list,
		contestant{Name: "http.CrossOriginProtection", kind: other, bare: content(), wrapped: protected},
		contestant{Name: "http.CrossOriginProtection, a form", kind: other, bare: content(), wrapped: protected, form: true},
		contestant{Name: floor, kind: other, bare: content(), wrapped: least(content())},
	)
	list = append(list, guards()...)
	return append(list,
		contestant{Name: "jub0bs/cors", kind: other, bare: content(), wrapped: partners.Wrap(content())},
		contestant{Name: "httpsnoop CaptureMetrics", kind: other, bare: content(), wrapped: measured},
		contestant{Name: "chi Compress", kind: other, bare: content(), wrapped: chi.Compress(5)(content())},
	), nil
}

// guards keep sessions, or refuse forged requests.
func guards() []contestant {
	sessions := scs.New()
	sessions.Store = memstore.NewWithCleanupInterval(0) // no goroutine beside what is measured
	signedIn := sessions.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "user", "ada")
	}))
	protect := csrf.Protect(bytes.Repeat([]byte("k"), 32))
	forms, token := protect(content()), ""
	known := cookieOf(protect(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { token = csrf.Token(r) })))
	surf := nosurf.New(content())
	return []contestant{
		{Name: lookedFor, kind: guard, bare: content(), wrapped: sessions.LoadAndSave(content())},
		{Name: lookedUp, kind: guard, bare: content(), wrapped: sessions.LoadAndSave(content()), cookie: cookieOf(signedIn)},
		{Name: "gorilla/csrf, first visit", kind: guard, bare: content(), wrapped: forms},
		{Name: verified, kind: guard, bare: content(), wrapped: forms, cookie: known},
		{Name: formPassed, kind: guard, bare: content(), wrapped: forms, cookie: known, form: true, token: token},
		{Name: "nosurf, first visit", kind: guard, bare: content(), wrapped: surf},
		{Name: "nosurf, token known", kind: guard, bare: content(), wrapped: surf, cookie: cookieOf(surf)},
	}
}

// least hands on a context and a writer of its own, in one allocation, and does
// nothing with them. No middleware can do with less that answers from the request's
// context and looks at a head before it leaves.
func least(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handOn(next, &handed{Context: r.Context(), ResponseWriter: w}, r)
	})
}

type handed struct {
	context.Context
	http.ResponseWriter
	request http.Request
}

// handOn is a function of its own so that the copy which WithContext makes stays
// on the stack.
func handOn(next http.Handler, h *handed, r *http.Request) {
	h.request = *r.WithContext(h)
	next.ServeHTTP(h, &h.request)
}

// middleware makes ours, with so many declarations.
func middleware(declared int, config consent.Config) (*consent.Middleware, error) {
	registry, err := consent.NewRegistry(declarations(declared)...)
	if err != nil {
		return nil, err
	}
	config.Registry = registry
	config.Keys = [][]byte{bytes.Repeat([]byte("k"), 32)}
	return consent.NewMiddleware(config)
}

// declarations begin with what the pages set. The rest are those of 20
// providers, in every category, and every other one is a pattern.
func declarations(n int) []consent.Cookie {
	something := consent.Text{language.English: "Does something for the visitor."}
	cookies := []consent.Cookie{
		{Provider: "Matomo", Name: "_pk_id*", Purpose: something, Category: consent.Statistics},
		{Provider: "Site", Name: "sessionid", Purpose: something, Category: consent.Necessary},
	}
	categories := []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty}
	for i := len(cookies); i < n; i++ {
		name := fmt.Sprintf("cookie%d", i)
		if i%2 == 1 {
			name = fmt.Sprintf("pattern%d_*", i)
		}
		cookies = append(cookies, consent.Cookie{Provider: fmt.Sprintf("Provider %d", i%20), Name: name, Purpose: something, Category: categories[i%4]})
	}
	return cookies[:n]
}

// decision returns the Cookie header of a visitor who has accepted everything.
func decision(mw *consent.Middleware) string {
	return cookieOf(mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := mw.Save(w, r, consent.AcceptAll()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})))
}

// cookieOf returns the Cookie header of a visitor who comes back, after a first
// visit to the handler.
func cookieOf(handler http.Handler) string {
	first := httptest.NewRecorder()
	handler.ServeHTTP(first, contestant{}.request())
	var pairs []string
	for _, cookie := range first.Result().Cookies() {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(pairs, "; ")
}
