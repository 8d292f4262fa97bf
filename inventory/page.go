package inventory

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/token"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/document"
)

// Handler serves what was found, for whoever develops the site: as a page, as
// declarations in Go ("?as=go", in the package that called [New]; "&package=shop" for another) or
// in JSON for [consent.ReadRegistry] ("?as=json"), and as a report for programs
// ("?as=report"). What cannot be known of a declaration says TODO there, which a registry
// refuses; what cannot be declared is in the report, and a comment in Go. It also serves
// the script ("?as=js") that tells it which names the browsers of your pages store, and
// takes what the script posts, from pages of the same origin and up to 64 KB. If the pages
// have a Content-Security-Policy, they need script-src and connect-src 'self' for it.
//
// It must not be mounted on a public site without protection, such as a login:
// anybody could read there which paths visitors ask for and what their browsers
// carry. The handler itself asks nobody who they are. It is best mounted where the
// site runs on your own machine, under any path.
//
// The page loads nothing but its own style sheet, and says so in its
// Content-Security-Policy; there is no inline style and no script.
func (inv *Inventory) Handler() http.Handler { return http.HandlerFunc(inv.serve) }

//go:embed page.css
var style string

const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (inv *Inventory) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		inv.take(w, r)
		return
	default:
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "the inventory is read, and told what browsers store", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Cache-Control", "no-store")
	inv.show(w, r)
}

// show serves what was found, in the form that "as" asks for, or a file of the page.
func (inv *Inventory) show(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch as := r.URL.Query().Get("as"); as {
	case "":
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Add("Content-Security-Policy", policy) // next to the site's own, if it has one
		found := inv.report()
		write(w, found.page())
	case "css":
		h.Set("Content-Type", "text/css; charset=utf-8")
		write(w, style)
	case "js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		write(w, storageScript)
	case "json", "report":
		found := inv.report()
		text, err := found.json()
		if as == "json" {
			text, err = found.document()
		}
		if err != nil { // of what a report holds there is none
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h.Set("Content-Type", "application/json")
		write(w, text)
	case "go":
		name := cmp.Or(r.URL.Query().Get("package"), inv.site)
		if !token.IsIdentifier(name) || name == "_" {
			http.Error(w, fmt.Sprintf("%q is no name of a package", name), http.StatusBadRequest)
			return
		}
		h.Set("Content-Type", "text/plain; charset=utf-8")
		found := inv.report()
		write(w, found.source(name))
	default:
		http.Error(w, `the inventory is shown as "go", "json", "report" or, without "as", as a page`, http.StatusBadRequest)
	}
}

func write(w http.ResponseWriter, text string) {
	_, _ = w.Write([]byte(text)) // an error is the reader's leaving
}

// json returns the report in JSON.
func (r *report) json() (string, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return inASCII(text), err
}

// document returns the declarations in JSON, to paste into a file of declarations.
func (r *report) document() (string, error) {
	declared := struct {
		Schema  string           `json:"$schema"`
		Cookies []consent.Cookie `json:"cookies"`
	}{Schema: document.Schema}
	for _, f := range r.Cookies {
		c, impossible := f.declaration()
		if _, err := document.Write(c); impossible == "" && err == nil { // not of names that are not UTF-8
			declared.Cookies = append(declared.Cookies, c)
		}
	}
	text, err := document.Write(declared)
	if err != nil {
		return "", err
	}
	var indented bytes.Buffer
	err = json.Indent(&indented, text, "", "  ")
	return inASCII(indented.Bytes()), err
}

// inASCII returns JSON in ASCII alone, so that a terminal shows what a name holds and
// does nothing that it says.
func inASCII(text []byte) string {
	var b strings.Builder
	for _, c := range string(text) {
		if c < 0x7F {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) { // JSON has such characters in strings only
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String() + "\n"
}

// page returns the report in HTML. What comes from a site or a visitor goes
// through text; html/template would do that too, and weighs more than the rest of
// the package.
func (r *report) page() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cookies that nobody declared</title>
<link rel="stylesheet" href="?as=css">
</head>
<body>
<main>
<h1>Cookies that nobody declared</h1>
<p>What responses set and requests carried since ` + moment(r.Since) + `. Values are never kept.</p>
<nav><a href="?as=go">Declarations in Go</a><a href="?as=json">in JSON</a><a href="?as=report">Report for programs</a></nav>
`)
	if len(r.Cookies) == 0 {
		b.WriteString("<p class=\"none\">None so far. Walk through the site, log in, and look again.</p>\n")
	} else {
		b.WriteString("<table>\n<thead><tr><th scope=\"col\">Cookie</th><th scope=\"col\">Seen</th><th scope=\"col\">Where</th><th scope=\"col\">Attributes</th><th scope=\"col\">Known by its name</th></tr></thead>\n<tbody>\n")
		for _, f := range r.Cookies {
			f.row(&b)
		}
		b.WriteString("</tbody>\n</table>\n")
	}
	if len(r.Faults) > 0 {
		b.WriteString("<h2>Not as declared</h2>\n<p>What the charter says about these is not so, or they cannot be declared.</p>\n<table>\n<thead><tr><th scope=\"col\">Cookie</th><th scope=\"col\">Seen</th><th scope=\"col\">Where</th><th scope=\"col\">Attributes</th></tr></thead>\n<tbody>\n")
		for _, f := range r.Faults {
			fmt.Fprintf(&b, "<tr><th scope=\"row\"><code>%s</code> <small>%s</small></th>", text(cmp.Or(f.Name, "(no name)")), text(faultText[f.Reason]))
			f.cells(&b, 0, places{})
			b.WriteString("</tr>\n")
		}
		b.WriteString("</tbody>\n</table>\n")
	}
	if r.Forgotten > 0 {
		fmt.Fprintf(&b, "<p>Names that were too many or too long to be kept came %s.</p>\n", times(r.Forgotten))
	}
	b.WriteString(`</main>
<footer>What is known by a name: facts from the <a href="https://github.com/jkwakman/Open-Cookie-Database">Open Cookie Database</a>, Apache-2.0. They are hints; check them.</footer>
</body>
</html>
`)
	return b.String()
}

func (f *finding) row(b *strings.Builder) {
	fmt.Fprintf(b, "<tr><th scope=\"row\"><code>%s</code>", text(f.Name))
	if f.Examples != nil {
		b.WriteString(" <small>such as " + text(list(f.Examples, false)) + "</small>")
	}
	if f.isStored() {
		b.WriteString(" <small>" + consent.Kind(f.Kind).String() + "</small></th>")
		f.storedCells(b)
	} else {
		b.WriteString("</th>")
		f.cells(b, f.Requests, f.seenOn())
	}
	b.WriteString("<td data-column=\"Known by its name\">")
	if k := f.Known; k != nil {
		b.WriteString("<div>" + text(k.Provider))
		if k.Library != "" {
			b.WriteString(text(k.Kind + " by " + k.Library))
		}
		if k.Service != "" {
			b.WriteString(" (" + text(k.Service) + ")")
		}
		b.WriteString(" <small>" + text(string(cmp.Or(k.Purpose, k.Category))))
		if k.Seconds != nil {
			b.WriteString(", kept " + text(span(*k.Seconds)))
		}
		b.WriteString("</small></div>")
	} else {
		b.WriteString("<div>nothing <small>needs consent until you say otherwise</small></div>")
	}
	b.WriteString("</td></tr>\n")
}

// cells writes what findings and faults share.
func (s *seen) cells(b *strings.Builder, requests int, seenOn places) {
	b.WriteString("<td data-column=\"Seen\"><div>")
	if s.Set > 0 {
		b.WriteString("<div>set " + times(s.Set) + "</div>")
	}
	if requests > 0 {
		b.WriteString("<div>sent " + times(requests) + "</div>")
	}
	b.WriteString("<small>" + moment(s.First) + "</small>")
	if s.Last.Sub(s.First) >= time.Minute {
		b.WriteString("<small>to " + moment(s.Last) + "</small>")
	}
	b.WriteString("</div></td>")
	b.WriteString("<td data-column=\"Where\"><ul>")
	for _, path := range s.SetOn.Paths {
		b.WriteString("<li>set on <code>" + text(path) + "</code></li>")
	}
	for _, path := range seenOn.Paths {
		b.WriteString("<li>seen on <code>" + text(path) + "</code></li>")
	}
	if s.SetOn.More || seenOn.More {
		b.WriteString("<li>and elsewhere</li>")
	}
	b.WriteString("</ul></td><td data-column=\"Attributes\">")
	if len(s.Attributes) > 0 {
		b.WriteString("<ul>")
		for _, a := range s.Attributes {
			b.WriteString("<li>" + text(a.String()) + "</li>")
		}
		b.WriteString("</ul>")
	} else if s.Set == 0 {
		b.WriteString("<div>not set by this server <small>but by a script, another server, or before this began</small></div>")
	}
	b.WriteString("</td>")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func moment(t time.Time) string {
	t = t.UTC()
	return `<time datetime="` + t.Format(time.RFC3339) + `">` + t.Format("2 Jan 15:04") + ` UTC</time>`
}

// text returns s as HTML shows it: markup escaped, and quoted as Go does if it
// holds what cannot be seen or steers what is next to it.
func text(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			s = strconv.Quote(s)
			break
		}
	}
	return html.EscapeString(s)
}
