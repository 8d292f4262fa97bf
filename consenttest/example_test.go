package consenttest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consenttest"
)

// cookies holds the shop's declarations.
var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Shop",
		Name:     "basket",
		Purpose:  consent.Text{language.English: "Keeps what you have chosen."},
		Category: consent.Necessary,
		Lifetime: 7 * 24 * time.Hour,
	},
)

// newShop makes the shop's handler, for main and for its tests.
func newShop(mw *consent.Middleware) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "promo", Value: "spring"})
	})
	mux.HandleFunc("POST /basket", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "basket", Value: r.FormValue("article"), Path: "/", MaxAge: 30 * 24 * 60 * 60})
	})
	return mw.Wrap(mux)
}

func ExampleRun() {
	// In a test of the shop, t is the *testing.T that it is given.
	t := printer{}

	consenttest.Run(t, consent.Config{Registry: cookies}, newShop,
		httptest.NewRequest("GET", "/", nil),
		httptest.NewRequest("POST", "/basket?article=7", nil),
	)
	// Output:
	// GET / by a new visitor: cookie "promo" is not declared
	// POST /basket?article=7 by a new visitor: cookie "basket" is kept for 720h0m0s, but declared for 168h0m0s (Shop)
}

func ExampleReview() {
	t := printer{} // a *testing.T

	consenttest.Review(t, consent.MustRegistry(
		consent.Cookie{Provider: "Shop", Name: "shop_session", Purpose: consent.Text{language.English: "Keeps you signed in."}, Category: consent.Necessary},
		consent.Cookie{Provider: "AdCo", Name: "shop_*", Purpose: consent.Text{language.English: "Chooses advertising."}, Category: consent.Advertising},
	))
	// Output:
	// consenttest: visitors who are asked for their consent to "AdCo" read neither its legal name nor its privacy policy: see Registry.WithProviders
	// consenttest: the pattern "shop_*" (advertising, AdCo) also covers "shop_session" (necessary, Shop): is it too wide?
}

func ExampleSite() {
	t := printer{} // a *testing.T

	site := consenttest.New(t, consent.Config{Registry: cookies}, newShop)
	site.Undecided().Do(httptest.NewRequest("GET", "/", nil))
	// Output: GET / by a new visitor: cookie "promo" is not declared
}

func ExampleVisitor() {
	t := printer{} // a *testing.T

	visitor := consenttest.New(t, consent.Config{Registry: cookies}, newShop).Decided(consent.AcceptAll())
	response := visitor.Do(httptest.NewRequest("POST", "/basket?article=7", nil)) // the next request brings the basket along
	fmt.Println(response.Cookies()[0].Name, "=", response.Cookies()[0].Value)
	// Output:
	// POST /basket?article=7 by a visitor who has decided: cookie "basket" is kept for 720h0m0s, but declared for 168h0m0s (Shop)
	// basket = 7
}

// A printer stands for the *testing.T of a test, and prints the errors.
type printer struct{ testing.TB }

func (printer) Helper() {}

func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
