//go:build interposed

package interposed

import (
	"net/http"
	"os"
	"strings"

	"github.com/cookiecharter/consent"
	"golang.org/x/text/language"
)

// Tally names the environment variable that holds the path of a file, to which
// each request that passes the middleware adds one byte.
const Tally = "INTERPOSED_TALLY"

const (
	served = "s" // by an http.Server
	called = "c" // by a test
)

var (
	middleware = newMiddleware()
	tally      = openTally()
)

// A suite knows nothing of this package, so that nobody else could set it.
func init() {
	http.Interpose = func(next http.Handler) http.Handler { return counted(served, middleware.Wrap(next)) }
}

// newMiddleware returns one under which every cookie may be set.
func newMiddleware() *consent.Middleware {
	m, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "the suite",
			Name:     "*",
			Purpose:  consent.Text{language.English: "Whatever it tests."},
			Category: consent.Necessary,
		}),
		AllowUndeclared: true,
		Keys:            [][]byte{[]byte(strings.Repeat("k", 32))}, // which signs for nobody
	})
	if err != nil {
		panic(err)
	}
	return m
}

func openTally() *os.File {
	f, err := os.OpenFile(os.Getenv(Tally), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		panic(err)
	}
	return f
}

func counted(by string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := tally.WriteString(by); err != nil {
			panic(err)
		}
		next.ServeHTTP(w, r)
	})
}

// through has h answer behind the middleware, unless r has passed it already:
// then a handler calls another one.
func through(h http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	if consent.FromContext(r.Context()) != (consent.Preferences{}) {
		h(w, r)
		return
	}
	counted(called, middleware.Wrap(h)).ServeHTTP(w, r)
}

// ServeHTTP stands in for the method of this name that a test calls.
func ServeHTTP(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { through(h, w, r) }
}

// Save stands in for what a test calls as a handler would: a function that
// writes to a response.
func Save(save func(*http.Request, http.ResponseWriter) error) func(*http.Request, http.ResponseWriter) error {
	return func(r *http.Request, w http.ResponseWriter) (err error) {
		through(func(w http.ResponseWriter, r *http.Request) { err = save(r, w) }, w, r)
		return err
	}
}

// Accept stands in for a function that a test calls as a handler would, to
// take a request over.
func Accept[Options, Conn any](accept func(http.ResponseWriter, *http.Request, Options) (Conn, error)) func(http.ResponseWriter, *http.Request, Options) (Conn, error) {
	return func(w http.ResponseWriter, r *http.Request, options Options) (conn Conn, err error) {
		through(func(w http.ResponseWriter, r *http.Request) { conn, err = accept(w, r, options) }, w, r)
		return conn, err
	}
}
