package main

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A portal is the site itself. It knows nothing of consent but where it asks
// for it: it sets its cookies as it likes, and the middleware decides.
type portal struct {
	*http.ServeMux
	mw *consent.Middleware

	mu       sync.Mutex
	sessions map[string]string // signed-in names by sessionid
}

func newPortal(mw *consent.Middleware) *portal {
	p := &portal{ServeMux: http.NewServeMux(), mw: mw, sessions: make(map[string]string)}
	p.HandleFunc("GET /{$}", p.home)
	p.HandleFunc("GET /style.css", style)
	p.HandleFunc("POST /preferences", p.savePreferences)
	p.HandleFunc("POST /language", p.chooseLanguage)
	p.HandleFunc("POST /sign-in", p.signIn)
	p.HandleFunc("POST /sign-out", p.signOut)
	p.HandleFunc("POST /api/datasets", p.datasets)
	return p
}

// savePreferences takes what the visitor has chosen from a plain form.
func (p *portal) savePreferences(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	var choice consent.Choice
	switch r.PostForm.Get("choice") {
	case "accept":
		choice = consent.AcceptAll()
	case "refuse":
		choice = consent.RefuseAll()
	case "some":
		var categories []consent.Category
		for _, c := range r.PostForm["category"] {
			categories = append(categories, consent.Category(c))
		}
		choice = consent.Accept(categories...)
	default:
		http.Error(w, "choice: accept, refuse or some", http.StatusBadRequest)
		return
	}
	if r.PostForm.Get("object") != "" {
		choice = choice.WithObjection()
	}
	if err := p.mw.Save(w, r, choice); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/#preferences", http.StatusSeeOther)
}

func (p *portal) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	chosen := r.PostForm.Get("language")
	if chosen != "fr" && chosen != "en" {
		http.Error(w, "language: fr or en", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, cookie("django_language", chosen, int(year.Seconds())))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// maxSessions keeps the memory of a demonstration bounded.
const maxSessions = 1000

func (p *portal) signIn(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" || len(name) > 100 {
		http.Error(w, "name: 1 to 100 bytes", http.StatusBadRequest)
		return
	}
	id := rand.Text()
	p.mu.Lock()
	for old := range p.sessions {
		if len(p.sessions) < maxSessions {
			break
		}
		delete(p.sessions, old)
	}
	p.sessions[id] = name
	p.mu.Unlock()
	session := cookie("sessionid", id, 0)
	session.HttpOnly = true
	http.SetCookie(w, session)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *portal) signOut(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	delete(p.sessions, value(r, "sessionid"))
	p.mu.Unlock()
	http.SetCookie(w, cookie("sessionid", "", -1))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// datasets is the API. It answers to those who send the token of the csrftoken
// cookie along, in the field of a form or in a header.
func (p *portal) datasets(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	token := r.Header.Get("X-CSRFToken")
	if token == "" {
		token = r.PostForm.Get("csrftoken")
	}
	if want := value(r, "csrftoken"); want == "" || subtle.ConstantTimeCompare([]byte(token), []byte(want)) != 1 {
		http.Error(w, "csrftoken: missing or wrong", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(datasets(languageOf(r))) // the visitor may be gone
}

//go:embed page.html
var pageSource string

//go:embed style.css
var styleSource []byte

var page = template.Must(template.New("page").Parse(pageSource))

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(styleSource)
}

// home sets all the cookies that such a site sets, and shows what became of
// them.
func (p *portal) home(w http.ResponseWriter, r *http.Request) {
	token := value(r, "csrftoken")
	if token == "" {
		token = rand.Text()
	}
	for _, c := range []*http.Cookie{
		cookie("csrftoken", token, int(year.Seconds())),
		cookie("visits", "1", 24*60*60),
		cookie("_pk_id.1.1fff", rand.Text(), 13*30*24*60*60),
		cookie("profile", "mobility", 90*24*60*60),
		cookie("ad_id", rand.Text(), 30*24*60*60),
		cookie("gadget", "1", 0), // which nobody declared
	} {
		http.SetCookie(w, c)
	}
	tried := w.Header().Values("Set-Cookie")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(http.StatusOK) // the head leaves here, so that the panel can tell what was in it
	_ = page.Execute(w, p.view(r, token, tried))
}

func (p *portal) nameOf(r *http.Request) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions[value(r, "sessionid")]
}

// languageOf returns the language that the visitor has chosen, else the one
// that the browser asks for.
func languageOf(r *http.Request) language.Tag {
	spoken := []language.Tag{language.French, language.English}
	_, i := language.MatchStrings(language.NewMatcher(spoken), value(r, "django_language"), r.Header.Get("Accept-Language"))
	return spoken[i]
}

// maxForm bounds what a form may hold.
const maxForm = 16 << 10

// parse reads the form, or answers why it cannot.
func parse(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, SameSite: http.SameSiteLaxMode}
}

// value returns the value of a cookie of the request, "" where there is none.
func value(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
