package charter_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// A store keeps the last decision of each user; a site takes the ledger's Users.
type store struct {
	recorded map[time.Time]consent.Record
	latest   map[string]consent.Record
}

func (s store) Record(_ context.Context, record consent.Record) error {
	s.RecordLater(record)
	return nil
}

func (s store) RecordLater(record consent.Record) { s.recorded[record.Time] = record }

func (s store) Latest(_ context.Context, user string) (consent.Record, error) {
	if latest, ok := s.latest[user]; ok {
		return latest, nil
	}
	return consent.Record{}, consent.ErrNoRecord
}

func (s store) Link(_ context.Context, _ consent.Reference, decided time.Time, user string) error {
	s.latest[user] = s.recorded[decided.UTC()]
	return nil
}

func ExampleAccounts() {
	users := store{map[time.Time]consent.Record{}, map[string]consent.Record{
		"ada": {Time: time.Now().Add(-time.Hour), Answers: []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: true}}},
	}}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "Matomo", Name: "_pk_id*", Category: consent.Statistics,
			Purpose: consent.Text{language.English: "Recognises a visitor who comes back."},
		}),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)}, // random in production
		Recorder: users,
	})
	if err != nil {
		panic(err)
	}
	site, err := charter.New(charter.Config{
		Middleware: mw, Accounts: users,
		Account: func(r *http.Request) string { return r.Header.Get("User") }, // by the session, in production
	})
	if err != nil {
		panic(err)
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		banner := string(site.Banner(r))
		fmt.Println(consent.FromContext(r.Context()).Allows(consent.Statistics), strings.Contains(banner, "the choice of your account now applies"))
	})
	for _, user := range []string{"", "ada"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User", user)
		mw.Wrap(site.Wrap(app)).ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// false false
	// true true
}
