package browser

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// policy is the strictest that the charter promises to work under.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; img-src 'self'"

const day = 24 * time.Hour

func english(s string) consent.Text { return consent.Text{language.English: s} }

// declared are the cookies of an open-data portal.
var declared = []consent.Cookie{
	{Provider: "Opendatasoft", Service: english("Sign-in, front and back office"), Name: "sessionid", Purpose: english("Keeps you signed in from page to page."), Category: consent.Necessary, Lifetime: 14 * day},
	{Provider: "Opendatasoft", Service: english("Forms and the API console"), Name: "csrftoken", Purpose: english("Makes sure that a form you send was opened by you."), Category: consent.Necessary, Lifetime: 365 * day},
	{Provider: "Valombre", Service: english("Every page"), Name: "locale", Purpose: english("Remembers the language that you chose."), Category: consent.Necessary, Lifetime: 365 * day},
	{Provider: "Valombre", Service: english("Every page"), Name: "visits", Purpose: english("Counts how often each page is opened, without telling visitors apart."), Category: consent.Statistics, Anonymous: true, Lifetime: day},
	{Provider: "Matomo", Service: english("Every page"), Name: "_pk_id*", Purpose: english("Recognises a visitor who comes back."), Category: consent.Statistics, Lifetime: 390 * day},
	{Provider: "Matomo", Service: english("Every page"), Name: "_pk_ses*", Purpose: english("Holds the pages of one visit together."), Category: consent.Statistics, Lifetime: 30 * time.Minute},
	{Provider: "Valombre", Service: english("Dataset pages"), Name: "recent_datasets", Purpose: english("Suggests datasets close to those that you have looked at."), Category: consent.FirstParty, Lifetime: 90 * day},
	{Provider: "Vimeo", Service: english("Tutorials"), Name: "vuid", Purpose: english("Measures how videos are watched."), Category: consent.ThirdParty, Lifetime: 730 * day},
	{Provider: "Vimeo", Service: english("Tutorials"), Name: "player", Purpose: english("Remembers the volume and the quality of the picture."), Category: consent.ThirdParty, Lifetime: 365 * day},
	{Provider: "Dailymotion", Service: english("Meetings of the council"), Name: "dmvk", Purpose: english("Tells the visits to its player apart."), Category: consent.ThirdParty},
}

// foreign is declared in a language, and a direction, that the charter's page
// does not have.
var foreign = consent.Cookie{Provider: "قافلة", Service: consent.Text{language.Arabic: "كل الصفحات"}, Name: "qafila", Purpose: consent.Text{language.Arabic: "قياس عدد الزوار الذين يعودون إلى الموقع."}, Category: consent.Statistics, Lifetime: 30 * day}

// tracers are no cookies.
var tracers = []consent.Cookie{
	{Kind: consent.LocalStorage, Provider: "Vimeo", Service: english("Tutorials"), Name: "sync_volume", Purpose: english("Remembers the volume from film to film."), Category: consent.ThirdParty},
	{Kind: consent.IndexedDB, Provider: "Vimeo", Name: "vimeo-player-*", Purpose: english("Keeps parts of films."), Category: consent.ThirdParty},
	{Kind: consent.Other, Provider: "Dailymotion", Name: "pixel", Purpose: english("Tells Dailymotion which page you look at."), Category: consent.ThirdParty},
}

// newDetailedDemo is newDemo with tracers, and with details of two providers.
func newDetailedDemo(t *testing.T, cookies ...consent.Cookie) *demo {
	t.Helper()
	return newDemoOf(t, func(c *consent.Config) {
		detailed, err := c.Registry.WithProviders(
			consent.Provider{Name: "Vimeo", LegalName: "Vimeo.com, Inc.", Country: "US", Policy: "https://vimeo.com/privacy"},
			consent.Provider{Name: "Dailymotion", LegalName: "Dailymotion SA", Country: "FR", Policy: "https://legal.dailymotion.com/en/privacy-policy/"},
		)
		require.NoError(t, err)
		c.Registry = detailed
	}, append(cookies, tracers...)...)
}

var (
	//go:embed testdata/portal.html
	portalHTML string
	//go:embed testdata/portal.css
	portalCSS string
	portal    = template.Must(template.New("portal").Parse(portalHTML))
)

// A demo is a site with a charter. Its pages are
//
//	/        with banner and script
//	/plain   with the banner alone
//	/static  with the script alone, as from a cache: it knows no visitor
//	/film    with banner, script and a film of Vimeo's
//	/player  the same with a title, a picture and a link
type demo struct {
	url     string
	mw      *consent.Middleware
	charter *charter.Charter
	pages   *http.ServeMux
	banners atomic.Int32 // how often the script has asked for one
	records records
	slow    atomic.Pointer[chan struct{}] // if there is one, answers to posts wait for its end
	done    chan struct{}                 // closed with the test: a server waits for what it answers

	mu     sync.Mutex
	failed []error
}

// failures returns what the charter has told the site.
func (d *demo) failures() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.failed)
}

// records keeps records in memory, unless it is full.
type records struct {
	full atomic.Bool
	mu   sync.Mutex
	kept []consent.Record
}

func (r *records) Record(_ context.Context, record consent.Record) error {
	if r.full.Load() {
		return errors.New("full")
	}
	r.RecordLater(record)
	return nil
}

func (r *records) RecordLater(record consent.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, record)
}

func (r *records) Records(_ context.Context, visitor consent.Reference) ([]consent.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.kept), func(kept consent.Record) bool { return kept.Reference != visitor }), nil
}

func (*records) WriteReceipt(_ context.Context, w io.Writer, visitor consent.Reference) error {
	_, err := fmt.Fprintf(w, `{"@id": %q}`, visitor)
	return err
}

func newDemo(t *testing.T, cookies ...consent.Cookie) *demo {
	t.Helper()
	return newDemoOf(t, func(*consent.Config) {}, cookies...)
}

func newDemoOf(t *testing.T, change func(*consent.Config), cookies ...consent.Cookie) *demo {
	t.Helper()
	d := &demo{pages: http.NewServeMux(), done: make(chan struct{})}
	config := consent.Config{
		Registry: consent.MustRegistry(cookies...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true, Revision: 300, Recorder: &d.records,
		Regime: consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut, "GB": consent.UK, "AQ": consent.NoRegime}),
	}
	change(&config)
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	c, err := charter.New(charter.Config{
		Middleware: mw,
		History:    &d.records,
		Failed: func(_ *http.Request, err error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.failed = append(d.failed, err)
		},
		Languages:  fstest.MapFS{"ar.json": {Data: rightToLeft(t)}},
		Categories: map[consent.Category]charter.Category{"chat": {Title: english("Conversation"), About: english("To talk with us from any page.")}},
	})
	require.NoError(t, err)
	d.mw, d.charter = mw, c
	handler := c.Handler()
	d.pages.HandleFunc("/cookies/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/cookies/banner") {
			d.banners.Add(1)
		}
		if slow := d.slow.Load(); slow != nil && r.Method == "POST" {
			select {
			case <-*slow:
			case <-d.done:
			}
		}
		handler.ServeHTTP(w, r)
	})
	d.page("/{$}", true, true, nil)
	d.page("/plain", true, false, nil)
	d.page("/static", false, true, nil)
	d.page("/film", true, true, func(r *http.Request) template.HTML {
		return c.Placeholder(r, consent.ThirdParty, "Vimeo", `<p class="film">The film.</p>`)
	})
	d.addPlayer()
	d.file("/portal.css", "text/css", portalCSS)
	d.file("/favicon.ico", "image/x-icon", "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		mw.Wrap(d.pages).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(d.done) })
	d.url = server.URL
	return d
}

// rightToLeft is a language that is written so. Its words are English, which is
// enough to see where they go; its plurals have the forms of Arabic.
func rightToLeft(t *testing.T) []byte {
	t.Helper()
	words, err := os.ReadFile("../../charter/languages/en.json")
	require.NoError(t, err)
	one := regexp.MustCompile(`"one": ("[^"]*")`)
	return one.ReplaceAll(words, []byte(`"zero": $1, "one": $1, "two": $1, "few": $1, "many": $1`))
}

// page adds a page of the portal; main draws what it holds besides the usual.
func (d *demo) page(pattern string, banner, script bool, main func(*http.Request) template.HTML) {
	d.pages.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
		parts := map[string]template.HTML{"Head": d.charter.Head(r), "Link": d.charter.Link(r)}
		if banner {
			parts["Banner"] = d.charter.Banner(r)
		}
		if script {
			parts["Script"] = d.charter.Script(r)
		}
		if main != nil {
			parts["Main"] = main(r)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = portal.Execute(w, parts) // an error is the browser's leaving
	})
}

func (d *demo) file(path, contentType, content string) {
	d.pages.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, content)
	})
}
