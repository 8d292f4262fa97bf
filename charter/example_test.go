package charter_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func ExampleCharter() {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "Matomo",
			Name:     "_pk_id*",
			Purpose:  consent.Text{language.English: "Recognises a visitor who comes back."},
			Category: consent.Statistics,
		}),
		Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, // random in production
	})
	if err != nil {
		panic(err)
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		panic(err)
	}
	app := http.NewServeMux()
	app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, site.Banner(r), "<h1>Welcome</h1>", site.Link(r))
	})

	w := httptest.NewRecorder()
	mw.Wrap(site.Wrap(app)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(strings.Contains(w.Body.String(), `<button name="choice" value="refuse">Reject all</button>`))
	// Output: true
}

func ExampleConfig() {
	_, err := charter.New(charter.Config{Path: "cookies"})
	fmt.Println(err)
	// Output:
	// charter: Config.Path: "cookies" is not a plain path such as "/cookies/"
	// charter: Config.Middleware: is nil
}

func ExampleCategory() {
	donations := charter.Category{
		Title: consent.Text{language.English: "Donations"},
		About: consent.Text{language.English: "To thank whoever has told you of us."},
	}
	config := charter.Config{Categories: map[consent.Category]charter.Category{"donations": donations}}
	fmt.Println(config.Categories["donations"].Title[language.English])
	// Output: Donations
}

func ExampleSignal() {
	// What this shop's own counter needs, and how it is told.
	counter := charter.Signal{
		Name:     "counter",
		Purposes: map[string][]string{"count": {"statistics"}, "profile": {"statistics", "advertising:Counter"}},
		Call:     `granted => { (window.counter ||= []).push(["consent", granted]); }`,
	}
	google := charter.Google().With(map[string][]string{"ad_storage": {"advertising:Google"}})
	config := charter.Config{Signals: []charter.Signal{google, counter}}
	for _, s := range config.Signals {
		fmt.Println(s.Name, s.Purposes)
	}
	// Output:
	// google map[ad_storage:[advertising:Google]]
	// counter map[count:[statistics] profile:[statistics advertising:Counter]]
}
