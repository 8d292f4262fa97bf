package judge

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A stage is one of the scan's, with what its visitor allows.
type stage struct {
	seen.Stage
	order int

	// judged is false if nobody can say what is allowed: nothing then counts as forbidden.
	judged bool
	// allowed says it of each declaration, by its number.
	allowed []bool
	// presumed says which of probes are allowed without an answer.
	presumed map[consent.Category]bool
}

// probes are the categories that nobody takes for exempt. One asks for them though nothing
// may be declared there, for names of which the list of well-known ones says so.
var probes = []consent.Category{consent.Statistics, consent.Advertising}

// stagesOf asks the library itself what each stage allows.
func stagesOf(scan *seen.Scan, declarations []consent.Cookie) map[string]*stage {
	mirror, mistake := mirrorOf(declarations)
	var asked []consent.Cookie
	for _, category := range probes {
		asked = append(asked, consent.Cookie{Provider: "probe", Category: category})
	}
	probe, _ := mirrorOf(asked)
	stages := make(map[string]*stage, len(scan.Stages))
	for i, s := range scan.Stages {
		at := &stage{Stage: s, order: i, presumed: make(map[consent.Category]bool)}
		stages[s.Name] = at
		if mistake == nil {
			at.allowed = allowed(mirror, s, len(declarations))
			at.judged = at.allowed != nil
		}
		if s.Answered {
			continue
		}
		for i, answer := range allowed(probe, s, len(probes)) {
			at.presumed[probes[i]] = answer
		}
	}
	return stages
}

// mirrorOf returns a registry that declares, for the same provider and category as each
// declaration, a cookie that bears its number: the library speaks of names of cookies, and
// the same rules hold for each kind and for each of several declarations of one name.
func mirrorOf(declarations []consent.Cookie) (*consent.Registry, error) {
	cookies := make([]consent.Cookie, len(declarations))
	for i, c := range declarations {
		cookies[i] = consent.Cookie{
			Provider: c.Provider, Category: c.Category, Anonymous: c.Anonymous,
			Name: number(i), Purpose: consent.Text{language.English: "-"},
		}
	}
	return consent.NewRegistry(cookies...)
}

func number(i int) string { return fmt.Sprintf("declaration-%d", i) }

// allowed asks a middleware, as the visitor of the stage, for each of n declarations. It
// returns nil if the stage's choice names what nobody declared.
func allowed(mirror *consent.Registry, s seen.Stage, n int) []bool {
	key := make([]byte, 32)
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: mirror,
		Keys:     [][]byte{key},
		Regime:   func(*http.Request) consent.Regime { return s.Regime },
		Failed:   func(*http.Request, error) {},
	})
	if err != nil {
		return nil
	}
	request := func(method string, cookies ...*http.Cookie) *http.Request {
		r := httptest.NewRequest(method, "https://site.example/", nil)
		if s.GPC {
			r.Header.Set("Sec-GPC", "1")
		}
		for _, c := range cookies {
			r.AddCookie(c)
		}
		return r
	}
	var decision []*http.Cookie
	if s.Answered {
		w := httptest.NewRecorder()
		mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err = mw.Save(w, r, s.Choice)
		})).ServeHTTP(w, request("POST"))
		if err != nil {
			return nil
		}
		decision = w.Result().Cookies()
	}
	answers := make([]bool, n)
	mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		preferences := consent.FromContext(r.Context())
		for i := range answers {
			answers[i] = preferences.AllowsCookie(number(i))
		}
	})).ServeHTTP(httptest.NewRecorder(), request("GET", decision...))
	return answers
}

// permits reports whether the visitor allows all of these declarations.
func (s *stage) permits(declarations []int) bool {
	return !s.judged || !slices.ContainsFunc(declarations, func(i int) bool { return !s.allowed[i] })
}
