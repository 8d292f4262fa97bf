package main

import (
	"bytes"
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// maxShown is how many of a visitor's decisions the form shows; their page has all.
const maxShown = 10

// A decided is one line of it.
type decided struct {
	At      time.Time
	By      string // what the visitor did
	Allowed string // whom they allow since
}

// history returns what the charter shows below the form: the visitor's own decisions,
// the newest first.
func history(books *ledger.Ledger) func(*http.Request) template.HTML {
	return func(r *http.Request) template.HTML {
		on, err := books.History(r.Context(), consent.FromContext(r.Context()).Reference())
		if err != nil {
			return "" // nothing yet; or no database, and then the form matters more
		}
		v := view{Lang: languageOf(r).String(), say: speaker(languageOf(r))}
		for _, e := range slices.Backward(on.Entries) {
			if len(v.History) == maxShown {
				break
			}
			v.History = append(v.History, decided{e.Time, v.say(string(e.Action)), cmp.Or(strings.Join(allowed(e), ", "), v.say("nobody"))})
		}
		var b bytes.Buffer
		if err := pages.ExecuteTemplate(&b, "history.html", v); err != nil {
			panic(err) // a mistake in the template
		}
		return template.HTML(b.String())
	}
}

// historyPage is all that is on record of the visitor, with what they were told.
func historyPage(books *ledger.Ledger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := books.History(r.Context(), consent.FromContext(r.Context()).Reference())
		if errors.Is(err, ledger.ErrNoRecord) {
			http.NotFound(w, r)
			return
		}
		if err != nil {
			http.Error(w, "the record cannot be read at the moment", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Cache-Control", "private, no-store")
		_ = h.WritePage(w) // the visitor may be gone
	}
}

// allowed are the providers that a decision allows.
func allowed(e ledger.Entry) []string {
	var providers []string
	for _, a := range e.Answers {
		if a.Allowed && !slices.Contains(providers, a.Provider) {
			providers = append(providers, a.Provider)
		}
	}
	return providers
}
