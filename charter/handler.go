package charter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// gpcPath is where a site says that it honors Global Privacy Control.
const gpcPath = "/.well-known/gpc.json"

// Wrap returns a handler that serves what [Charter.Handler] does, and hands every
// other request on to next. It belongs inside the middleware's Wrap, and outside of
// everything else: of a check of tokens too, which the charter's forms do not have.
func (c *Charter) Wrap(next http.Handler) http.Handler {
	own := c.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.serves(r.URL.Path) {
			own.ServeHTTP(w, r)
		} else {
			next.ServeHTTP(w, r)
		}
	})
}

func (c *Charter) serves(path string) bool {
	return strings.HasPrefix(path, c.path) || path == gpcPath && len(c.gpc.content) > 0
}

// Handler serves everything below the charter's path: the page with the form, the
// posts of the form, the style sheet and the script; "charter.json", which is the charter
// in the form of [consent.ReadRegistry]; and "/.well-known/gpc.json", if
// [Config.GPCSince] is set. It is for a site that mounts it at these paths in its own
// router. Some patterns, such as "GET /{path...}", let no [http.ServeMux] do so: see
// [Charter.Wrap].
//
// Posts from other sites are refused, by [http.CrossOriginProtection]. The page has
// a Content-Security-Policy, unless the site has set that field before. Pages that
// cannot call [Charter.Head] and [Charter.Script], such as static files, link to
// "style.css" and "script.js" below the path.
func (c *Charter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+c.path+"{$}", c.page)
	mux.HandleFunc("POST "+c.path+"{$}", c.decide)
	mux.HandleFunc("GET "+c.path+"banner.js", c.banner)
	mux.HandleFunc("GET "+c.path+exportName, c.export)
	mux.Handle("GET "+c.path+c.style.name, c.style)
	mux.Handle("GET "+c.path+c.script.name, c.script)
	mux.HandleFunc("GET "+c.path+"style.css", c.style.serveRevalidated)
	mux.HandleFunc("GET "+c.path+"script.js", c.script.serveRevalidated)
	mux.HandleFunc("GET "+gpcPath, c.gpc.serveRevalidated)
	protected := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.serves(r.URL.Path) {
			http.Error(w, fmt.Sprintf("charter: this handler serves %q, as Config.Path says, not %q", c.path, r.URL.Path), http.StatusNotFound)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// policy lets the page load from its own site alone, post forms to it alone, and
// appear in no frame, since another site could steal clicks from one.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page serves the charter's page, with the visitor's decision in the form.
func (c *Charter) page(w http.ResponseWriter, r *http.Request) {
	v, l := c.view(r)
	// The banner sends the page on which it was shown; a decision leads back there.
	v.Back = localPath(r.URL.Query().Get("back"))
	prefs := consent.FromContext(r.Context())
	if prefs == (consent.Preferences{}) { // a post from this page will fail
		c.failed(r, consent.ErrOutside)
	}
	v.Groups = l.groupsFor(prefs.Consented, prefs.HasObjected())
	c.sendPage(w, r, http.StatusOK, v, l)
}

// sendPage sends the charter's page with the groups, and so the form, of v.
func (c *Charter) sendPage(w http.ResponseWriter, r *http.Request, status int, v view, l *localized) {
	v.Back = cmp.Or(v.Back, c.path)
	v.Tables = l.tables
	if c.hasStorage() && !c.mw.Cookie().HttpOnly {
		v.Script = c.path + c.script.name // deletes at once what the form refuses
	}
	if c.aside != nil {
		v.Aside = c.aside(r)
	}
	if w.Header().Get("Content-Security-Policy") == "" {
		w.Header().Set("Content-Security-Policy", policy)
	}
	w.Header().Set("Content-Language", v.Lang)
	send(w, status, "text/html; charset=utf-8", []byte(c.render("page", v)))
}

// banner serves the banner alone, as a script that stores the HTML in the property
// html of the script element that loads it. A page can load its own site's scripts
// under a strict Content-Security-Policy; fetch would need connect-src as well.
func (c *Charter) banner(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		w.Header().Set("Cache-Control", "private, no-store") // or a cache might send the refusal to this site's pages
		http.Error(w, "the banner is for pages of this site", http.StatusForbidden)
		return
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	query := r.URL.Query()
	banner := c.bannerFor(r, localPath(query.Get("back")))
	if query.Has("unkept") { // the script waits for a decision
		if v, _ := c.view(r); !v.Just {
			c.notKept.Do(func() { c.failed(r, errNotKept) })
			v.Unkept = true
			banner = c.render("banner", v)
		}
	}
	html, err := json.Marshal(string(banner))
	if err != nil { // cannot happen for a string
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, http.StatusOK, "text/javascript; charset=utf-8", fmt.Appendf(nil, "document.currentScript.html=%s", html))
}

// send sends content that depends on the visitor, so no cache may keep it.
func send(w http.ResponseWriter, status int, contentType string, content []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Add("Vary", "Cookie, Accept-Language, Sec-GPC")
	w.WriteHeader(status)
	_, _ = w.Write(content) // an error means that the visitor has left
}

// Head returns the link to the style sheet, for the head of every page with a
// banner, a link or a placeholder. It is empty if [Config.Style] is. As those do, it
// keeps the response out of shared caches: see [consent.Preferences.KeepPrivate].
func (c *Charter) Head(r *http.Request) template.HTML {
	consent.FromContext(r.Context()).KeepPrivate()
	if len(c.style.content) == 0 {
		return ""
	}
	return template.HTML(`<link rel="stylesheet" href="` + template.HTMLEscapeString(c.path+c.style.name) + `">`)
}

// Banner returns the banner for the visitor of r. Put it first in the body, so that
// screen readers and keyboards reach it first. For 15 seconds after a decision it is
// a short confirmation. Then it is empty, but for an element without content that
// tells the script of a law other than opt-in, until the visitor is to be asked anew:
// see [consent.Preferences.ShouldAsk]. A page with a banner depends on the visitor: the
// response is kept out of shared caches, see [consent.Preferences.KeepPrivate].
func (c *Charter) Banner(r *http.Request) template.HTML {
	c.keepPrivate(r)
	return c.bannerFor(r, requestPath(r))
}

// keepPrivate keeps the response to r to its visitor, since it shows something of
// them, in their language.
func (c *Charter) keepPrivate(r *http.Request) {
	var fields []string
	if c.languageOf == nil || c.languageOf(r) == (language.Tag{}) {
		fields = []string{"Accept-Language"}
	}
	consent.FromContext(r.Context()).KeepPrivate(fields...)
}

// bannerFor returns the banner with a page to return to, which localPath has checked.
func (c *Charter) bannerFor(r *http.Request, back string) template.HTML {
	prefs := consent.FromContext(r.Context())
	l := c.localizedFor(r)
	mark := l.markFor(prefs)
	if !prefs.Decided() {
		if isOutside := prefs == (consent.Preferences{}); !prefs.ShouldAsk() && !isOutside { // outside of Wrap the site learns by the banner that nothing is saved
			return mark
		}
		if q := l.questionFor(prefs); c.templates == templates && q.banner[0] != "" {
			return mark + template.HTML(q.banner[0]+template.HTMLEscapeString(back)+q.banner[1])
		}
	}
	v, _ := c.view(r)
	if v.Decided && !v.Just {
		return mark
	}
	v.Back = back
	return mark + c.render("banner", v)
}

// markFor returns an element that tells the script which law the visitor is under, and
// which categories are allowed until they are refused; under opt-in, nothing.
func (l *localized) markFor(prefs consent.Preferences) template.HTML {
	regime := prefs.Regime()
	if regime == consent.OptIn {
		return ""
	}
	var presumed []string
	for _, g := range l.groups {
		if prefs.Presumed(g.Category) {
			presumed = append(presumed, string(g.Category))
		}
	}
	return template.HTML(fmt.Sprintf(`<template data-regime="%d" data-presumed="%s"></template>`, regime, strings.Join(presumed, " ")))
}

// Link returns a link to the form in the charter, for the footer of every page: a
// consent must be as easy to withdraw as to give (GDPR, article 7(3)). Under an
// opt-out law, a visitor whose browser sends Global Privacy Control reads next to it
// what has become of that; the response is then kept out of shared caches.
func (c *Charter) Link(r *http.Request) template.HTML {
	if consent.FromContext(r.Context()).Regime() == consent.OptOut {
		c.keepPrivate(r)
	}
	v, _ := c.view(r)
	return c.render("link", v)
}
