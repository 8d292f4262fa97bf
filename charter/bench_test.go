package charter_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func BenchmarkRender(b *testing.B) {
	var cookies []consent.Cookie
	for i := range 100 {
		cookies = append(cookies, consent.Cookie{
			Provider: fmt.Sprintf("Provider %d", i), Name: fmt.Sprintf("cookie%d", i), Purpose: text("Does something."),
			Category: []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty}[i%4],
		})
	}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(cookies...),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)},
		Regime:   consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut}),
	})
	if err != nil {
		b.Fatal(err)
	}
	c, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/cookies/", nil)
	r.Header.Set("Accept-Language", "fr-FR,fr;q=0.9,en;q=0.5")
	for name, headers := range map[string]map[string]string{"": nil, ", opt-out": american, ", opt-out with GPC": private} {
		r := r.Clone(r.Context())
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		b.Run("banner"+name, func(b *testing.B) {
			b.ReportAllocs()
			mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				for b.Loop() {
					c.Banner(r)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	b.Run("page of 100 declarations", func(b *testing.B) {
		handler := c.Handler()
		b.ReportAllocs()
		for b.Loop() {
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
}

// A page is drawn for each visitor; its tables are drawn once in each language.
func BenchmarkPageOf300DeclarationsOfAllKinds(b *testing.B) {
	var cookies []consent.Cookie
	var providers []consent.Provider
	for i := range 300 {
		provider := fmt.Sprintf("Provider %d", i/3)
		cookies = append(cookies, consent.Cookie{
			Kind: consent.Kind(i % 6), Provider: provider, Name: fmt.Sprintf("name%d_*", i), Service: text("Every page"), Purpose: text("Does something."),
			Category: []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty}[i%4],
		})
		if i%3 == 0 {
			providers = append(providers, consent.Provider{Name: provider, LegalName: provider + " Ltd", Country: "IE", Policy: "https://provider.example/privacy"})
		}
	}
	registry, err := consent.MustRegistry(cookies...).WithProviders(providers...)
	if err != nil {
		b.Fatal(err)
	}
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	if err != nil {
		b.Fatal(err)
	}
	newHandler := func() http.Handler {
		c, err := charter.New(charter.Config{Middleware: mw})
		if err != nil {
			b.Fatal(err)
		}
		return mw.Wrap(c.Handler())
	}
	r := httptest.NewRequest("GET", "/cookies/", nil)
	b.Run("each", func(b *testing.B) {
		handler := newHandler()
		handler.ServeHTTP(httptest.NewRecorder(), r)
		b.ReportAllocs()
		for b.Loop() {
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
	b.Run("the first in a language", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			handler := newHandler()
			b.StartTimer()
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
}
