package cases

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/preference"
)

// Decisions is decisions.json of package charter: what a site declares, and what visitors
// allow there.
type Decisions struct {
	Revision uint64
	Declared []struct {
		Category  consent.Category
		Provider  string
		Anonymous bool
	}
	Cases []Decision
}

// A Decision is one of its cases: a visitor with these preferences cookies, in the order in
// which the browser names them.
type Decision struct {
	Name    string
	Cookies []struct {
		Minutes    int // since the decision
		Revision   uint64
		Objection  bool
		Former     bool              // under the former name
		Referenced bool              // it is recorded
		Answers    map[string]Answer // by category:provider
	}
	Law     consent.Regime
	GPC     bool
	Allowed []string // each category:provider
	Decided bool
}

// An Answer is written as a word.
type Answer decision.Answer

// UnmarshalText reads the word.
func (a *Answer) UnmarshalText(word []byte) error {
	i := slices.Index([]string{decision.No: "no", decision.Yes: "yes", decision.Ticked: "ticked", decision.Alone: "alone"}, string(word))
	if i < 0 {
		return fmt.Errorf("%q is no answer", word)
	}
	*a = Answer(i)
	return nil
}

// ReadDecisions reads decisions.json.
func ReadDecisions(t testing.TB, path string) *Decisions {
	t.Helper()
	all := read[Decisions](t, path)
	if len(all.Cases) < 30 {
		t.Fatalf("%s has only %d cases", path, len(all.Cases))
	}
	return &all
}

// Keys sign the cookies of the cases.
var Keys = [][]byte{bytes.Repeat([]byte("k"), 32)}

const formerName = "former"

// Names returns what is declared, as category:provider.
func (d *Decisions) Names() (names []string) {
	for _, declared := range d.Declared {
		names = append(names, string(declared.Category)+":"+declared.Provider)
	}
	return names
}

// Config returns the site of a case. What is declared are a cookie and something in each of
// these storages, by the name category:provider.
func (d *Decisions) Config(of Decision, storages ...consent.Kind) consent.Config {
	var cookies []consent.Cookie
	for i, name := range d.Names() {
		declared := d.Declared[i]
		for _, kind := range append([]consent.Kind{consent.HTTPCookie}, storages...) {
			cookies = append(cookies, consent.Cookie{
				Kind: kind, Name: name, Provider: declared.Provider, Category: declared.Category, Anonymous: declared.Anonymous,
				Purpose: consent.Text{language.English: "Is a case."},
			})
		}
	}
	return consent.Config{
		Registry: consent.MustRegistry(cookies...), Keys: Keys, Revision: d.Revision, FormerCookieName: formerName,
		Regime: func(*http.Request) consent.Regime { return of.Law },
	}
}

// Header returns the Cookie field of a case.
func (d *Decisions) Header(t testing.TB, of Decision) string {
	t.Helper()
	now := time.Now()
	var pairs []string
	for _, cookie := range of.Cookies {
		answers := make(map[decision.Mark]decision.Answer)
		for name, answer := range cookie.Answers {
			category, provider, _ := strings.Cut(name, ":")
			answers[decision.MarkOf(category, provider)] = decision.Answer(answer)
		}
		made := decision.Decision{Revision: cookie.Revision, Time: now.Add(-time.Duration(cookie.Minutes) * time.Minute), Objection: cookie.Objection, Answers: decision.MakeAnswers(answers)}
		if made.Revision == 0 {
			made.Revision = d.Revision
		}
		if cookie.Referenced {
			made.Reference = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		}
		name := consent.CookieName
		if cookie.Former {
			name = formerName
		}
		pairs = append(pairs, sign(t, &made, name))
	}
	return strings.Join(pairs, "; ")
}

// Refusal returns the Cookie field of a visitor who has refused one provider of a category.
func Refusal(t testing.TB, category consent.Category, provider string) string {
	t.Helper()
	answers := map[decision.Mark]decision.Answer{decision.MarkOf(string(category), provider): decision.No}
	return sign(t, &decision.Decision{Time: time.Now(), Answers: decision.MakeAnswers(answers)}, consent.CookieName)
}

// sign returns a preferences cookie as a browser sends it.
func sign(t testing.TB, d *decision.Decision, name string) string {
	t.Helper()
	line, err := preference.New(http.Cookie{Name: name, Path: "/", MaxAge: 86400}, "", Keys).Line(d)
	if err != nil {
		t.Fatal(err)
	}
	pair, _, _ := strings.Cut(line, ";")
	return pair
}
