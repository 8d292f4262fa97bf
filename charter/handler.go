package charter

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"

	"github.com/cookiecharter/consent"
)

// Handler serves what lies under the charter's path: the page with the form,
// the decisions that are posted to it, style sheet and script. Posts from other
// sites are refused ([http.CrossOriginProtection]).
func (c *Charter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+c.path+"{$}", c.page)
	mux.HandleFunc("POST "+c.path+"{$}", c.decide)
	mux.HandleFunc("GET "+c.path+"banner", c.banner)
	mux.Handle("GET "+c.path+c.style.name, c.style)
	mux.Handle("GET "+c.path+c.script.name, c.script)
	return http.NewCrossOriginProtection().Handler(mux)
}

func (c *Charter) page(w http.ResponseWriter, r *http.Request) {
	v, drawing := c.view(r)
	v.Back = c.path
	v.Tables = drawing.tables
	v.Groups = drawing.groupsFor(consent.FromContext(r.Context()))
	send(w, v, render("page.html", v))
}

// banner serves the banner alone, for the script.
func (c *Charter) banner(w http.ResponseWriter, r *http.Request) {
	v, _ := c.view(r)
	v.Back = localPath(r.URL.Query().Get("back"))
	send(w, v, drawBanner(v))
}

// send sends a page that knows the visitor.
func send(w http.ResponseWriter, v view, page template.HTML) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Lang)
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Add("Vary", "Cookie, Accept-Language")
	_, _ = w.Write([]byte(page)) // an error is the visitor's leaving
}

// Head returns what belongs into the head of each page that shows a banner.
func (c *Charter) Head(_ *http.Request) template.HTML {
	return template.HTML(`<link rel="stylesheet" href="` + template.HTMLEscapeString(c.path+c.style.name) + `">`)
}

// Banner returns the banner for the visitor of r, which belongs first into the
// body. Once everything is decided it is a short confirmation for a moment, and
// then empty. A page with a banner knows the visitor: it is not for a cache.
func (c *Charter) Banner(r *http.Request) template.HTML {
	v, _ := c.view(r)
	return drawBanner(v)
}

func drawBanner(v view) template.HTML {
	if v.Decided && !v.Just {
		return ""
	}
	return render("banner.html", v)
}

// Link returns the link to the settings, for the footer of every page.
func (c *Charter) Link(r *http.Request) template.HTML {
	v, _ := c.view(r)
	return render("link.html", v)
}

// render runs a template of this package, which fails for no view.
func render(name string, v view) template.HTML {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, v); err != nil {
		panic(err)
	}
	return template.HTML(strings.TrimSpace(b.String()))
}
