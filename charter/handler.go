package charter

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/cookiecharter/consent"
)

// gpcPath is where a site says that it honors Global Privacy Control.
const gpcPath = "/.well-known/gpc.json"

// Wrap returns a handler that serves what [Charter.Handler] does, and hands every
// other request on to next. It belongs inside the middleware's Wrap, and outside of
// everything else: of a check of tokens too, which the charter's forms do not have.
func (c *Charter) Wrap(next http.Handler) http.Handler {
	own := c.Handler()
	return c.withAccount(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.serves(r.URL.Path) || c.isStripped(r.URL.Path) && asked(r, c.path) {
			own.ServeHTTP(w, r)
		} else {
			next.ServeHTTP(w, r)
		}
	}))
}

func (c *Charter) serves(path string) bool {
	return strings.HasPrefix(path, c.path) || path == gpcPath && len(c.gpc.content) > 0
}

// isStripped reports whether a path is the charter's without its last slash. Routers take it
// off: chi's StripSlashes, echo's RemoveTrailingSlash. To send the browser back to the slash
// would go on for ever with those that redirect.
func (c *Charter) isStripped(path string) bool {
	return path != "" && path+"/" == c.path
}

// asked reports whether the browser has asked for a path that ends like this one: without
// the slash it may be a page of the site's own.
func asked(r *http.Request, path string) bool {
	uri, _, _ := strings.Cut(r.RequestURI, "?")
	return strings.HasSuffix(uri, path)
}

// Handler serves everything below the charter's path: the page with the form, the
// posts of the form, the style sheet and the script; "charter.json", which is the charter
// in the form of [consent.ReadRegistry]; "state.json", by which programs ask for a
// visitor's decision and post one; what [Config.History] says; and
// "/.well-known/gpc.json", if [Config.GPCSince] is set. The path without its last slash is the
// page too. It is for a site that mounts it at these paths in its own router. Some patterns,
// such as "GET /{path...}", let no [http.ServeMux] do so: see [Charter.Wrap].
//
// Posts from other sites are refused, by [http.CrossOriginProtection]. A browser that does
// not say where a post comes from gets the form once more. The page has a
// Content-Security-Policy, unless the site has set that field before. Pages that cannot
// call [Charter.Head] and [Charter.Script], such as static files, load "script.js" below
// the path, which brings the banner and its style with it, and "head.js" before any tag
// of [Config.Signals].
func (c *Charter) Handler() http.Handler {
	c.mounted.Store(true)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+c.path+"{$}", c.page)
	mux.HandleFunc("POST "+c.path+"{$}", c.decide)
	mux.HandleFunc("GET "+c.path+"banner.js", c.part)
	mux.HandleFunc("GET "+c.path+exportName, c.export)
	mux.HandleFunc("GET "+c.path+stateName, c.state)
	mux.HandleFunc("POST "+c.path+stateName, c.postState)
	mux.Handle("GET "+c.path+c.style.name, c.style)
	mux.Handle("GET "+c.path+c.script.name, c.script)
	mux.HandleFunc("GET "+c.path+"style.css", c.style.serveRevalidated)
	mux.HandleFunc("GET "+c.path+"script.js", c.wholeScript)
	if len(c.head.content) > 0 {
		mux.HandleFunc("GET "+c.path+c.head.name, c.serveHeadFile)
		mux.HandleFunc("GET "+c.path+"head.js", c.serveOwnHead)
	}
	if c.history != nil {
		mux.HandleFunc("GET "+c.path+recordsName, c.records)
		mux.HandleFunc("GET "+c.path+receiptName, c.receipt)
	}
	mux.HandleFunc("GET "+c.path+"{name}", c.otherVersion)
	mux.HandleFunc("GET "+gpcPath, c.gpc.serveRevalidated)
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.deny(w, r, mux) }))
	protected := protection.Handler(mux)
	return c.withAccount(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.isStripped(r.URL.Path) {
			whole := *r.URL
			whole.Path, whole.RawPath = c.path, ""
			r = r.WithContext(r.Context())
			r.URL = &whole
		}
		if !c.serves(r.URL.Path) {
			http.Error(w, fmt.Sprintf("charter: this handler serves %q, as Config.Path says, not %q", c.path, r.URL.Path), http.StatusNotFound)
			return
		}
		protected.ServeHTTP(w, r)
	}))
}

// otherVersion serves the files of pages that another version of the site has drawn: they
// may lie in a cache, or come from an instance that is not yet, or no longer, of this one.
// What the present files do is what holds.
func (c *Charter) otherVersion(w http.ResponseWriter, r *http.Request) {
	switch name := r.PathValue("name"); {
	case strings.HasPrefix(name, "style-") && strings.HasSuffix(name, ".css"):
		c.style.serveRevalidated(w, r)
	case strings.HasPrefix(name, "script-") && strings.HasSuffix(name, ".js"):
		c.script.serveRevalidated(w, r)
	case strings.HasPrefix(name, "head-") && strings.HasSuffix(name, ".js") && len(c.head.content) > 0:
		c.serveOwnHead(w, r)
	default:
		http.NotFound(w, r)
	}
}

// policy lets the page load from its own site alone, post forms to it alone, and
// appear in no frame, since another site could steal clicks from one.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page serves the charter's page, with the visitor's decision in the form.
func (c *Charter) page(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Boosted") == "true" {
		// htmx would put the page's body into a page with another style and another policy.
		w.Header().Set("HX-Redirect", c.publicURI(r))
		send(w, http.StatusOK, "text/plain; charset=utf-8", nil)
		return
	}
	v, l := c.view(r)
	// The banner sends the page on which it was shown; a decision leads back there.
	v.Back = localPath(r.URL.Query().Get("back"))
	prefs := consent.FromContext(r.Context())
	if prefs == (consent.Preferences{}) { // a post from this page will fail
		c.failed(r, consent.ErrOutside)
	}
	if r.URL.Query().Has(keptQuery) {
		if !prefs.DecidedAt().IsZero() {
			back := cmp.Or(v.Back, c.public)
			if !strings.Contains(back, "#") {
				back += "#" // or the browser would add this page's own (RFC 9110 section 10.2.2)
			}
			redirect(w, back)
			return
		}
		c.notKept.Do(func() { c.failed(r, errNotKept) })
		v.say(saidNotKept)
	}
	v.Groups = l.groupsFor(prefs)
	c.sendPage(w, r, http.StatusOK, v, l)
}

// publicURI returns the charter's page as a browser asks for it, with the query of r.
func (c *Charter) publicURI(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return c.public
	}
	return c.public + "?" + r.URL.RawQuery
}

// keptQuery marks the page to which a browser without any cookie comes after a decision:
// without a script there is no other way to tell a visitor whose browser keeps none.
const keptQuery = "kept"

// sendPage sends the charter's page with the groups, and so the form, of v.
func (c *Charter) sendPage(w http.ResponseWriter, r *http.Request, status int, v view, l *localized) {
	v.Back = cmp.Or(v.Back, c.public)
	v.Tables, v.Control, v.Drawn = l.tables, byPage, c.drawnIn(l)+c.stateOf(r)
	if v.Just && v.Said == "" {
		v.say(saidSaved)
	}
	if c.hasStorage() && !c.mw.Cookie().HttpOnly {
		v.Script = c.public + c.script.name // deletes at once what the form refuses
	}
	if c.aside != nil {
		v.Aside = c.aside(r)
	}
	sendDocument(w, status, v.Lang, c.render("page", v))
}

// sendDocument sends a page of the charter.
func sendDocument(w http.ResponseWriter, status int, language string, document template.HTML) {
	if w.Header().Get("Content-Security-Policy") == "" {
		w.Header().Set("Content-Security-Policy", policy)
	}
	if w.Header().Get("Referrer-Policy") == "" {
		// With "no-referrer" browsers would post the form with "Origin: null".
		w.Header().Set("Referrer-Policy", "same-origin")
	}
	w.Header().Set("Content-Language", language)
	send(w, status, "text/html; charset=utf-8", []byte(document))
}

// deny answers a post that may come from another site. A browser that says nothing of
// that, such as one on plain http with "Referrer-Policy: no-referrer", gets the form as
// the visitor's decision has it: from there the post says that it comes from this site.
func (c *Charter) deny(w http.ResponseWriter, r *http.Request, next http.Handler) {
	origin, isSilent := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site") == ""
	if isSilent && sameWithoutPort(origin, r.Host) {
		next.ServeHTTP(w, r)
		return
	}
	if r.URL.Path == c.path+stateName {
		sendError(w, http.StatusForbidden, notForOthers)
		return
	}
	if !isSilent || origin != "null" || r.URL.Path != c.path {
		http.Error(w, "this form is for pages of this site", http.StatusForbidden)
		return
	}
	c.unverified.Do(func() { c.failed(r, fmt.Errorf("%w: Origin is %q, Host is %q", errUnverified, origin, r.Host)) })
	v, l := c.view(r)
	if isFromScript(r) {
		send(w, http.StatusForbidden, "text/plain; charset=utf-8", []byte(l.words.Unverified))
		return
	}
	v.Back = "" // whoever posted may have chosen it
	v.say(saidUnverified)
	v.Groups = l.groupsFor(consent.FromContext(r.Context()))
	w.Header().Set("Referrer-Policy", "same-origin")
	c.sendPage(w, r, http.StatusForbidden, v, l)
}

// sameWithoutPort reports whether an origin is that of a request from whose Host a proxy
// in front has taken the port. To a visitor's cookies two ports are one site anyway (RFC
// 6265 section 8.5).
func sameWithoutPort(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Hostname() != "" && strings.EqualFold(u.Hostname(), host)
}

// part serves a part of a page for the script: the banner, a note in its place, the
// settings, or placeholders. It comes as a script, which stores the part in a property of
// the element that loads it: a page can load its own site's scripts under a strict
// Content-Security-Policy; fetch would need connect-src as well.
func (c *Charter) part(w http.ResponseWriter, r *http.Request) {
	if !fromOwnPage(r) {
		w.Header().Set("Cache-Control", noStore) // or a cache might send the refusal to this site's pages
		http.Error(w, "the banner is for pages of this site", http.StatusForbidden)
		return
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	content, err := json.Marshal(c.partFor(r))
	if err != nil { // cannot happen for strings
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, http.StatusOK, "text/javascript; charset=utf-8", fmt.Appendf(nil, "document.currentScript.drawn=%s", content))
}

// fromOwnPage reports whether a page of this site loads r, or a browser that does not say
// so.
func fromOwnPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// A drawn part is what the script adds to a page.
type drawn struct {
	HTML template.HTML `json:"html"`
	CSS  string        `json:"css,omitempty"`
}

func (c *Charter) partFor(r *http.Request) drawn {
	query := r.URL.Query()
	back := localPath(query.Get("back"))
	v, l := c.view(r)
	small := drawn{CSS: cmp.Or(c.inline.css, string(c.style.content))}
	switch query.Get("show") {
	case "settings":
		v.Back = back
		v.Groups, v.Control, v.Drawn = l.groupsFor(consent.FromContext(r.Context())), bySettings, c.drawnIn(l)+c.stateOf(r)
		return drawn{c.render("settings", v), string(c.style.content)}
	case "placeholders":
		return drawn{c.placeholders(r, query["for"], back), string(c.style.content)}
	case "working":
		small.HTML = c.noteFor(r, l.words.Working, false)
	case "stale":
		small.HTML = c.noteFor(r, l.words.Stale, true)
	case "unkept": // the script waits for a decision
		if c.isJust(r) {
			small.HTML = c.bannerFor(r, back)
			break
		}
		c.notKept.Do(func() { c.failed(r, errNotKept) })
		small.HTML = c.noteFor(r, l.words.NotKept, false)
	default:
		small.HTML = c.bannerFor(r, back)
	}
	return small
}

// send sends content that depends on the visitor, so no cache may keep it.
func send(w http.ResponseWriter, status int, contentType string, content []byte) {
	sendCached(w, status, noStore, contentType, content)
}

const noStore = "private, no-store"

// sendCached is send for what the visitor's own browser may keep, as caching says.
func sendCached(w http.ResponseWriter, status int, caching, contentType string, content []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", caching)
	w.Header().Add("Vary", varies)
	w.WriteHeader(status)
	_, _ = w.Write(content) // an error means that the visitor has left
}

const varies = "Cookie, Accept-Language, Sec-GPC"

// redirect sends the browser to a page of the site. Unlike [http.Redirect] it leaves the
// path as it is.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Cache-Control", noStore)
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// errNotKept says what the script of a page has noticed.
var errNotKept = fmt.Errorf("%w: a visitor has blocked cookies, the host of the site is not that of the cookie, or a proxy in front removes it", consent.ErrNotKept)

// errUnverified is what the site is told of a post that may come from anywhere.
var errUnverified = errors.New("charter: a browser does not say that a decision comes from a page of this site, so that its visitor has to decide twice; is the site on plain http with \"Referrer-Policy: no-referrer\", or does a proxy change Host?")
