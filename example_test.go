package consent_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// registry and secret are what the examples share.
var (
	secret   = []byte("thirty-two bytes, random in production")
	registry = consent.MustRegistry(
		consent.Cookie{
			Provider: "Example",
			Name:     "sessionid",
			Purpose:  consent.Text{language.English: "Keeps you signed in from page to page."},
			Category: consent.Necessary,
		},
		consent.Cookie{
			Provider: "Matomo",
			Name:     "_pk_id*",
			Purpose:  consent.Text{language.English: "Recognises a visitor who comes back."},
			Category: consent.Statistics,
			Lifetime: 13 * 30 * 24 * time.Hour,
		},
	)
)

// respond runs a handler behind a middleware and prints the cookies that leave.
func respond(mw *consent.Middleware, handler http.HandlerFunc) {
	w := httptest.NewRecorder()
	mw.Wrap(handler).ServeHTTP(w, httptest.NewRequest("GET", "https://example.org/", nil))
	for _, c := range w.Result().Cookies() {
		fmt.Println("Set-Cookie:", c.Name)
	}
}

func newMiddleware() *consent.Middleware {
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{secret}})
	if err != nil {
		panic(err)
	}
	return mw
}

func ExampleMiddleware() {
	mw := newMiddleware()
	app := func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "a1"})
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2"})
		fmt.Fprintln(w, "Welcome!")
	}
	respond(mw, app) // nobody has consented to statistics
	// Output: Set-Cookie: sessionid
}

func ExampleMiddleware_Save() {
	mw := newMiddleware()
	respond(mw, func(w http.ResponseWriter, r *http.Request) {
		// In life the choice comes from a form.
		if err := mw.Save(w, r, consent.Accept(consent.Statistics)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2"})
	})
	// Output:
	// Set-Cookie: _pk_id.1.1fff
	// Set-Cookie: cookies_preferences
}

func ExampleRegistry() {
	for _, c := range registry.Lookup("_pk_id.1.1fff") {
		fmt.Println(c.Provider, c.Name, c.Category)
	}
	// Output: Matomo _pk_id* statistics
}

func ExampleCookie() {
	visits := consent.Cookie{
		Provider:  "Example",
		Service:   consent.Text{language.English: "audience measurement, on every page"},
		Name:      "visits",
		Purpose:   consent.Text{language.English: "Counts visits; nobody can be found again."},
		Category:  consent.Statistics,
		Anonymous: true,
	}
	fmt.Println(visits.NeedsConsent())
	// Output: false
}

func ExampleCategory() {
	const chat consent.Category = "chat" // a category of the site's own
	for _, category := range []consent.Category{consent.Necessary, consent.Statistics, chat} {
		fmt.Println(category, consent.Cookie{Category: category}.NeedsConsent())
	}
	// Output:
	// necessary false
	// statistics true
	// chat true
}

func ExampleText() {
	purpose := consent.Text{
		language.French:  "Mémorise la langue.",
		language.English: "Remembers the language.",
	}
	fmt.Println(purpose.In(language.French, language.Make("en-GB")))
	fmt.Println(purpose.In(language.French, language.Japanese))
	// Output:
	// Remembers the language. en
	// Mémorise la langue. fr
}

func ExampleChoice() {
	mw := newMiddleware()
	for _, choice := range []consent.Choice{
		consent.AcceptAll(),
		consent.RefuseAll(),
		consent.Accept(consent.Statistics),
		consent.RefuseAll().WithProviders(consent.Statistics, "Matomo"),
		consent.RefuseAll().WithObjection(), // to anonymous statistics
	} {
		mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := mw.Save(w, r, choice); err != nil {
				fmt.Println(err)
			}
			fmt.Println(consent.FromContext(r.Context()).AllowsCookie("_pk_id.1.1fff"))
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
	}
	// Output:
	// true
	// false
	// true
	// true
	// false
}

func ExampleChoiceError() {
	mw := newMiddleware()
	respond(mw, func(w http.ResponseWriter, r *http.Request) {
		err := mw.Save(w, r, consent.Accept("weather"))
		var unknown *consent.ChoiceError
		if errors.As(err, &unknown) {
			fmt.Println("unknown category:", unknown.Category)
		}
	})
	// Output: unknown category: weather
}

func ExamplePreferences() {
	respond(newMiddleware(), func(w http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		fmt.Println("statistics:", prefs.Allows(consent.Statistics))
		fmt.Println("Matomo:", prefs.AllowsProvider(consent.Statistics, "Matomo"))
		fmt.Println("sessionid:", prefs.AllowsCookie("sessionid"))
		fmt.Println("decided:", prefs.Decided())
	})
	// Output:
	// statistics: false
	// Matomo: false
	// sessionid: true
	// decided: false
}

func ExampleConfig() {
	_, err := consent.NewMiddleware(consent.Config{
		Registry: registry,
		Keys:     [][]byte{secret, []byte("an old one, too short")},
		Lifetime: -time.Hour,
	})
	fmt.Println(err)
	// Output:
	// consent: Config.Keys[1]: has 21 bytes; a key has at least 32
	// consent: Config.Lifetime: -1h0m0s is negative; zero means 180 days
}

func ExampleFieldError() {
	_, err := consent.NewRegistry(consent.Cookie{Provider: "Example", Name: "two words", Category: consent.Necessary})
	var mistake *consent.FieldError
	if errors.As(err, &mistake) { // the first; all of them are joined
		fmt.Println(mistake.Cookie, "/", mistake.Field, "/", mistake.Reason)
	}
	// Output: two words / Purpose / is empty
}

func observed(print func(consent.Event)) {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: registry,
		Keys:     [][]byte{secret},
		Observe:  func(r *http.Request, e consent.Event) { print(e) },
	})
	if err != nil {
		panic(err)
	}
	respond(mw, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", Path: "/"})
		fmt.Fprintln(w, "Welcome!")
	})
}

func ExampleAttributes() {
	observed(func(e consent.Event) { fmt.Println(e.Attributes.Path, e.Attributes.Lifetime) })
	// Output: / 0s
}

func ExampleLogTo() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{} // to be the same in every run
		}
		return a
	}}))
	mw, err := consent.NewMiddleware(consent.Config{
		Registry:   registry,
		Keys:       [][]byte{secret},
		ReportOnly: true,
		Observe:    consent.LogTo(logger, time.Minute),
	})
	if err != nil {
		panic(err)
	}
	respond(mw, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2"})
	})
	// Output:
	// level=INFO msg="cookie would be removed" cookie=_pk_id.1.1fff reason=undecided request=/ more=0
	// Set-Cookie: _pk_id.1.1fff
}

func ExampleEvent() {
	observed(func(e consent.Event) { fmt.Println(e.Cookie, e.Outcome, e.Reason) })
	// Output: _pk_id.1.1fff removed undecided
}

func ExampleOutcome() {
	observed(func(e consent.Event) { fmt.Println(e.Outcome == consent.OutcomeRemoved) })
	// Output: true
}

func ExampleReason() {
	observed(func(e consent.Event) { fmt.Println(e.Reason == consent.ReasonUndecided) })
	// Output: true
}

// The page's policy follows the consent, so that the browser itself contacts
// nobody else.
func ExamplePreferences_Origins() {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "Vimeo",
			Name:     "vuid",
			Purpose:  consent.Text{language.English: "Plays videos and recognises who has seen them."},
			Category: consent.ThirdParty,
			Origins:  []string{"https://player.vimeo.com"},
		}),
		Keys: [][]byte{secret},
	})
	if err != nil {
		panic(err)
	}
	respond(mw, func(w http.ResponseWriter, r *http.Request) {
		policy := func() string {
			allowed := consent.FromContext(r.Context()).Origins()
			return "frame-src " + strings.Join(append(allowed, "'self'"), " ")
		}
		fmt.Println(policy())
		if err := mw.Save(w, r, consent.AcceptAll()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Println(policy())
	})
	// Output:
	// frame-src 'self'
	// frame-src https://player.vimeo.com 'self'
	// Set-Cookie: cookies_preferences
}
