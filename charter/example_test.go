package charter_test

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
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

// ExampleHistory shows a history that keeps what it tells in memory; the module's ledger
// has one in SQL.
func ExampleHistory() {
	kept := &memory{}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(declared()...),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)}, // random in production
		Recorder: kept,
	})
	if err != nil {
		panic(err)
	}
	site, err := charter.New(charter.Config{
		Middleware: mw, History: kept,
		Categories: map[consent.Category]charter.Category{"chat": {Title: text("Conversation"), About: text("To talk with us.")}},
	})
	if err != nil {
		panic(err)
	}
	handler := mw.Wrap(site.Handler())

	post := httptest.NewRequest("POST", "https://example.org/cookies/", strings.NewReader("choice=refuse&by=banner"))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, post)

	get := httptest.NewRequest("GET", "https://example.org/cookies/records", nil)
	get.AddCookie(answer.Result().Cookies()[0])
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, get)
	fmt.Println(strings.Contains(page.Body.String(), "<dd>Refused: Matomo and Plausible</dd>"))
	// Output: true
}

// A memory is a recorder and a history of one visitor.
type memory struct{ records []consent.Record }

func (m *memory) Record(_ context.Context, record consent.Record) error {
	m.records = append(m.records, record)
	return nil
}

func (m *memory) RecordLater(record consent.Record) { m.records = append(m.records, record) }

func (m *memory) Records(context.Context, consent.Reference) ([]consent.Record, error) {
	return m.records, nil
}

func (m *memory) WriteReceipt(_ context.Context, w io.Writer, visitor consent.Reference) error {
	_, err := fmt.Fprintf(w, `{"@type": "ConsentRecord", "subject": %q}`, visitor)
	return err
}

// shown returns what a page of a site with a charter shows to a visitor who has not decided.
func shown(change func(*charter.Config), page func(*charter.Charter, *http.Request) any) string {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "Vimeo",
			Name:     "vuid",
			Purpose:  consent.Text{language.English: "Remembers which films you have seen."},
			Category: consent.ThirdParty,
		}, consent.Cookie{
			Provider: "Google",
			Name:     "_gcl_*",
			Purpose:  consent.Text{language.English: "Measures what ads bring."},
			Category: consent.Advertising,
		}),
		Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, // random in production
	})
	if err != nil {
		panic(err)
	}
	config := charter.Config{Middleware: mw}
	change(&config)
	site, err := charter.New(config)
	if err != nil {
		panic(err)
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, page(site, r)) })
	w := httptest.NewRecorder()
	mw.Wrap(site.Wrap(app)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w.Body.String()
}

func ExampleEmbed() {
	film := charter.Embed{
		Category: consent.ThirdParty, Provider: "Vimeo",
		Content: `<iframe src="https://player.vimeo.com/video/1"></iframe>`,
		Title:   "The harbour", Ratio: 16. / 9, Link: "https://vimeo.com/1",
	}
	page := shown(func(*charter.Config) {}, func(site *charter.Charter, r *http.Request) any { return site.Embed(r, film) })
	before, _, _ := strings.Cut(page, "<template") // in which nothing is loaded
	fmt.Println(strings.Contains(before, "player.vimeo.com"), strings.Contains(before, "Vimeo"))
	// Output: false true
}

// A layout of html/template gets the four parts as values. The script that waits stands in a
// template element: in one of the type text/plain, the user's name would be code.
func ExampleCharter_Script() {
	layout := template.Must(template.New("layout").Parse(`<head>{{.Head}}{{.Script}}
<template data-consent="third-party"><script>count({{.User}})</script></template>
</head><body>{{.Banner}}<footer>{{.Link}}</footer></body>`))
	page := shown(func(*charter.Config) {}, func(site *charter.Charter, r *http.Request) any {
		var page strings.Builder
		if err := layout.Execute(&page, map[string]any{
			"Head": site.Head(r), "Script": site.Script(r), "Banner": site.Banner(r), "Link": site.Link(r), "User": "alert(1)",
		}); err != nil {
			panic(err)
		}
		return page.String()
	})
	for line := range strings.Lines(page) {
		if strings.Contains(line, "count(") {
			fmt.Print(line)
		}
	}
	// Output: <template data-consent="third-party"><script>count("alert(1)")</script></template>
}

func ExampleGuard() {
	guarded := func(c *charter.Config) { c.Guard = charter.GuardDeclared }
	page := shown(guarded, func(site *charter.Charter, r *http.Request) any { return site.Head(r) })
	fmt.Println(strings.Contains(page, "/^vuid$/")) // scripts cannot set this name until it is allowed
	// Output: true
}

func ExampleLayout() {
	box := func(c *charter.Config) { c.Layout = charter.BottomBox }
	page := shown(box, func(site *charter.Charter, r *http.Request) any { return site.Banner(r) })
	fmt.Println(strings.Contains(page, "charter-box"))
	// Output: true
}

func ExampleGoogleConsent() {
	fmt.Println(shown(func(*charter.Config) {}, func(site *charter.Charter, r *http.Request) any {
		return site.Google(r).GCS
	}))
	// Output: G100
}

func ExampleGoogleOptions() {
	redacting := func(c *charter.Config) {
		c.Signals = []charter.Signal{charter.GoogleWith(charter.GoogleOptions{RedactAds: true})}
	}
	page := shown(redacting, func(site *charter.Charter, r *http.Request) any { return site.Head(r) })
	fmt.Println(strings.Contains(page, `"ads_data_redaction":true`))
	// Output: true
}
