package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// A remote is a real browser that does what a test says: see testdata/remote.js.
type remote struct {
	*testing.T
	mu   sync.Mutex
	seen moment
	step *step // nil once the page has it
}

// A moment is what its page shows.
type moment struct {
	Page               float64 // another one for each load
	Name, Banner, Note string
	Settings           string // the title of the dialog, if it is open
	Allowed            []string
}

// A step is what it is to do.
type step struct {
	Fill   string `json:"fill,omitempty"`
	Value  string `json:"value,omitempty"`
	Click  string `json:"click,omitempty"`
	Leaves bool   `json:"leaves,omitempty"` // for another page
}

func (b *remote) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var seen moment // anew, since a test may still look at the one before
	if err := json.NewDecoder(r.Body).Decode(&seen); err != nil {
		return // the browser was closed
	}
	b.seen = seen
	next := b.step
	if b.step = nil; next == nil {
		next = new(step)
	}
	_ = json.NewEncoder(w).Encode(next)
}

// until waits for what the page is to show, and returns it.
func (b *remote) until(what string, is func(moment) bool) moment {
	b.Helper()
	var seen moment
	require.Eventually(b, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		seen = b.seen
		return b.step == nil && is(seen)
	}, time.Minute, 20*time.Millisecond, what)
	return seen
}

// does has the browser do a step, and returns what the page shows then; of another page if
// the step leads to one.
func (b *remote) does(s step, what string, is func(moment) bool) moment {
	b.Helper()
	b.mu.Lock()
	before := b.seen.Page
	b.step = &s
	b.mu.Unlock()
	return b.until(what, func(m moment) bool { return (!s.Leaves || m.Page != before) && is(m) })
}

func (b *remote) signsIn(name string) moment {
	b.Helper()
	return b.does(step{"[name=name]", name, "[action='/sign-in'] button", true}, "signed in", func(m moment) bool { return m.Name == name })
}

func (b *remote) signsOut() moment {
	b.Helper()
	return b.does(step{Click: "[action='/sign-out'] button", Leaves: true}, "signed out", func(m moment) bool { return m.Name == "" })
}

// watched is the portal in English, whose pages tell these browsers what to do.
func watched(t *testing.T, browsers map[string]*remote) string {
	site, err := newSite(newBooks(t))
	require.NoError(t, err)
	script, err := os.ReadFile("testdata/remote.js")
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page := httptest.NewRecorder()
		r.Header.Set("Accept-Language", "en")
		site.ServeHTTP(page, r)
		for key, values := range page.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(page.Code)
		body := page.Body.String()
		if strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
			body = strings.Replace(body, "</head>", `<script src="/remote.js" defer></script></head>`, 1)
		}
		io.WriteString(w, body)
	})
	mux.HandleFunc("GET /remote.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(script)
	})
	mux.HandleFunc("POST /remote", func(w http.ResponseWriter, r *http.Request) {
		if b := browsers[r.URL.Query().Get("browser")]; b != nil {
			b.ServeHTTP(w, r)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestTwoBrowsersOfOneUserKeepToOneChoice(t *testing.T) {
	laptop, phone := &remote{T: t}, &remote{T: t}
	site := watched(t, map[string]*remote{"laptop": laptop, "phone": phone})
	browsertest.Chromium(t, site+"/?browser=laptop")
	browsertest.Firefox(t, site+"/?browser=phone")
	const asked, told, differ = "whether you accept or reject, your choice applies to your account", "the choice of your account now applies on this device", "It differs from the choice made on this device before."
	asks := func(m moment) bool { return m.Banner != "" }
	says := func(text string) func(moment) bool {
		return func(m moment) bool { return strings.Contains(m.Note, text) }
	}

	assert.NotContains(t, laptop.until("the banner", asks).Banner, "account")
	seen := laptop.signsIn("Ada")
	assert.Contains(t, seen.Banner, asked, "before the choice")
	seen = laptop.does(step{Click: ".charter-banner [value=accept]"}, "it is saved", says("Your choice is saved."))
	everybody := laptop.until("all", func(m moment) bool { return len(m.Allowed) == 5 }).Allowed
	assert.Contains(t, everybody, "Matomo")

	own := phone.until("the banner", asks)
	assert.NotContains(t, own.Banner, "account")
	phone.does(step{Click: ".charter-banner [value=refuse]"}, "it is saved", says("Your choice is saved."))
	own = phone.until("almost nothing", func(m moment) bool { return len(m.Allowed) == 1 })
	assert.NotContains(t, own.Allowed, "Matomo")

	seen = phone.signsIn("Ada")
	assert.Contains(t, seen.Note, told)
	assert.Contains(t, seen.Note, differ)
	assert.Contains(t, seen.Note, "cookie settings", "with a way to change it")
	assert.Equal(t, own.Allowed, seen.Allowed)
	seen = phone.does(step{Click: "footer [name=language][value=en]", Leaves: true}, "another page", func(moment) bool { return true })
	assert.Empty(t, seen.Note, "once")
	phone.does(step{Click: ".charter-link"}, "the settings", func(m moment) bool { return m.Settings != "" })
	phone.does(step{Click: ".charter-settings [value=accept]"}, "it is saved", says("Your choice is saved."))
	phone.until("all", func(m moment) bool { return slices.Equal(m.Allowed, everybody) })

	seen = phone.signsOut()
	assert.Equal(t, own.Allowed, seen.Allowed, "as it was before the sign-in")
	assert.Empty(t, seen.Banner, "nor is it asked for again")
	seen = phone.signsIn("Bob")
	assert.Equal(t, own.Allowed, seen.Allowed, "and of nobody else")
	phone.signsOut()
	seen = phone.signsIn("Ada")
	assert.Equal(t, everybody, seen.Allowed)
	assert.Empty(t, seen.Note, "it is not the first time here")
}
