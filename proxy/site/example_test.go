package site_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/proxy/declare"
	"github.com/cookiecharter/consent/proxy/site"
)

func ExampleSite() {
	registry, err := declare.Read(strings.NewReader("cookies:\n  - {provider: Matomo, name: _pk_id*, category: statistics, purpose: {en: Counts visits.}}\n"))
	if err != nil {
		panic(err)
	}
	s, err := site.New(context.Background(), site.Config{
		Consent: consent.Config{Registry: registry, Keys: [][]byte{site.NewKey()}},
		Charter: charter.Config{Name: "The town", Language: language.French},
	})
	if err != nil {
		panic(err)
	}
	defer s.Close(context.Background())
	w := httptest.NewRecorder()
	s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "_pk_id.1.1fff=1")
	})).ServeHTTP(w, httptest.NewRequest("GET", "https://town.example/", nil))
	fmt.Printf("%q\n", w.Header()["Set-Cookie"])
	fmt.Println(s.Tag())
	// Output:
	// []
	// <script src="/cookies/script.js" defer></script>
}

func ExampleConfig() {
	err := site.Check(site.Config{Consent: consent.Config{Registry: consent.MustRegistry()}, Charter: charter.Config{Layout: "round"}})
	fmt.Println(err)
	// Output:
	// site: Config.Consent.Keys: holds no key
	// site: Config.Charter.Layout: "round" is none of ["bar" "top-bar" "box" "top-box" "card"]
}

func ExampleMistake() {
	err := site.Check(site.Config{
		Consent: consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{site.NewKey()}},
		Ledger:  site.Ledger{URL: "consent.db", Config: ledger.Config{Retention: 30 * 24 * time.Hour}},
	})
	names := map[string]string{"Ledger.Retention": "ledger.retention"} // of a program's own settings
	if m, is := errors.AsType[*site.Mistake](err); is {
		fmt.Printf("%s: %s\n", names[m.Field], m.Reason)
	}
	// Output: ledger.retention: is less than 210 days: a consent has to be proven for as long as it stands
}

func ExampleRegimes() {
	config := site.Config{
		Consent: consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{site.NewKey()}},
		Regimes: site.Regimes{
			Header:  "CF-IPCountry",
			ByValue: map[string]consent.Regime{"GB": consent.UK, "US-CA": consent.OptOut},
			Trusted: func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "10.") },
		},
	}
	fmt.Println(site.Check(config))
	// Output: <nil>
}

func ExampleLedger() {
	folder, err := os.MkdirTemp("", "consent")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	s, err := site.New(context.Background(), site.Config{
		Consent: consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{site.NewKey()}},
		Ledger:  site.Ledger{URL: filepath.Join(folder, "consent.db"), Config: ledger.Config{NoSpool: true}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Ledger().Figures().Waiting, s.Ready(context.Background()))
	fmt.Println(s.Close(context.Background()))
	// Output:
	// 0 <nil>
	// <nil>
}

func ExampleMetrics() {
	counted := prometheus.NewRegistry()
	metrics := site.NewMetrics()
	counted.MustRegister(metrics)
	s, err := site.New(context.Background(), site.Config{
		Consent: consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{site.NewKey()}},
		Metrics: metrics,
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer s.Close(context.Background())
	s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "_ga=1")
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://town.example/", nil))
	told := httptest.NewRecorder()
	promhttp.HandlerFor(counted, promhttp.HandlerOpts{}).ServeHTTP(told, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Print(told.Body)
	// Output:
	// # HELP consent_cookies_total Cookies that were removed or expired, or passed though they are not as declared.
	// # TYPE consent_cookies_total counter
	// consent_cookies_total{cookie="_ga",outcome="removed",reason="undeclared"} 1
}

func ExampleParseKeys() {
	_, err := site.ParseKeys([]byte("secret\n"))
	fmt.Println(err)
	// Output: line 1: has 6 bytes; a key has at least 32, such as "openssl rand -hex 32" prints
}
