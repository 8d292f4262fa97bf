package charter

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/cookiecharter/consent"
)

// Handler serves what lies under the charter's path: the page with the form,
// the decisions that are posted to it, style sheet and script. Posts from other
// sites are refused ([http.CrossOriginProtection]). Pages that no template writes
// link to "style.css" and "script.js" below the path. The charter's page says itself what it
// may load (Content-Security-Policy), unless the site has said so before.
func (c *Charter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+c.path+"{$}", c.page)
	mux.HandleFunc("POST "+c.path+"{$}", c.decide)
	mux.HandleFunc("GET "+c.path+"banner.js", c.banner)
	mux.Handle("GET "+c.path+c.style.name, c.style)
	mux.Handle("GET "+c.path+c.script.name, c.script)
	mux.HandleFunc("GET "+c.path+"style.css", c.style.fresh)
	mux.HandleFunc("GET "+c.path+"script.js", c.script.fresh)
	below := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, c.path) {
			http.Error(w, fmt.Sprintf("charter: this handler serves %q, as Config.Path says, not %q", c.path, r.URL.Path), http.StatusNotFound)
			return
		}
		below.ServeHTTP(w, r)
	})
}

// policy lets the page load what is the site's own, post its forms there, and
// stand in no frame, where a click might be stolen.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (c *Charter) page(w http.ResponseWriter, r *http.Request) {
	v, d := c.view(r)
	// The banner says where the visitor comes from; a decision leads back there.
	v.Back = localPath(r.URL.Query().Get("back"))
	prefs := consent.FromContext(r.Context())
	if prefs == (consent.Preferences{}) { // what is posted from this page will fail
		c.failed(r, consent.ErrOutside)
	}
	v.Groups = d.groupsFor(prefs.Consented, prefs.Objects())
	c.sendPage(w, r, http.StatusOK, v, d)
}

// sendPage sends the charter's page, its form as v has it.
func (c *Charter) sendPage(w http.ResponseWriter, r *http.Request, status int, v view, d *drawing) {
	if v.Back == "" {
		v.Back = c.path
	}
	v.Tables = d.tables
	if c.aside != nil {
		v.Aside = c.aside(r)
	}
	if w.Header().Get("Content-Security-Policy") == "" {
		w.Header().Set("Content-Security-Policy", policy)
	}
	w.Header().Set("Content-Language", v.Lang)
	send(w, status, "text/html; charset=utf-8", []byte(c.render("page", v)))
}

// banner serves the banner alone, as a script that leaves it with the element
// that has asked for it: a page may load scripts of its site under a policy that
// keeps it from everything else.
func (c *Charter) banner(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		w.Header().Set("Cache-Control", "private, no-store") // or a cache might refuse this site's pages too
		http.Error(w, "the banner is for pages of this site", http.StatusForbidden)
		return
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	html, err := json.Marshal(string(c.bannerFor(r, localPath(r.URL.Query().Get("back")))))
	if err != nil { // of a string there is none
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, http.StatusOK, "text/javascript; charset=utf-8", fmt.Appendf(nil, "document.currentScript.html=%s", html))
}

// send sends what knows the visitor.
func send(w http.ResponseWriter, status int, contentType string, content []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Add("Vary", "Cookie, Accept-Language, Sec-GPC")
	w.WriteHeader(status)
	_, _ = w.Write(content) // an error is the visitor's leaving
}

// Head returns what belongs into the head of each page that shows a banner: the
// link to the style sheet, nothing where the site wants none.
func (c *Charter) Head(_ *http.Request) template.HTML {
	if len(c.style.content) == 0 {
		return ""
	}
	return template.HTML(`<link rel="stylesheet" href="` + template.HTMLEscapeString(c.path+c.style.name) + `">`)
}

// Banner returns the banner for the visitor of r, which belongs first into the
// body. Once everything is decided it is a short confirmation for a moment, and
// then empty. A page with a banner knows the visitor: it is not for a cache.
func (c *Charter) Banner(r *http.Request) template.HTML {
	return c.bannerFor(r, here(r))
}

func (c *Charter) bannerFor(r *http.Request, back string) template.HTML {
	if prefs := consent.FromContext(r.Context()); !prefs.Decided() && c.templates == templates {
		if q := c.drawingFor(r).questionFor(prefs); q.banner[0] != "" {
			return template.HTML(q.banner[0] + template.HTMLEscapeString(back) + q.banner[1])
		}
	}
	v, _ := c.view(r)
	if v.Decided && !v.Just {
		return ""
	}
	v.Back = back
	return c.render("banner", v)
}

// Link returns the link to the settings, for the footer of every page.
func (c *Charter) Link(r *http.Request) template.HTML {
	v, _ := c.view(r)
	return c.render("link", v)
}
