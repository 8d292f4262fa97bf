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
