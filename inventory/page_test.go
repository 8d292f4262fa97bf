package inventory_test

import (
	"encoding/json"
	"encoding/xml"
	"go/format"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// hostile are names that mean to be more than text where they are shown.
var hostile = []string{
	"<script>alert(1)</script>", "</code><img src=x onerror=alert(1)>", `"onmouseover="alert(1)`, "&lt;b&gt;", "'", "`", "<!--", "]]>",
	"\x1b[31mred", "\x1b]0;title\x07", "\u009b31m", "\u202egnp.exe", "\u2028", "\ufeff", "\u200b", "\u00ad", "\x7f", "\x00", "\r", "\t", "\n",
	`\`, `\"`, `"`, `\u0022`, "*/", "/*", "//go:build ignore", "\");panic(1)//", "%s%n%d", "${x}", "{{.}}",
	"\n)\nfunc init() { panic(1) }\n", "\xff\xfe", "é", "日本語", "🍪", "a b", "a,b", "*", "**", "a*b", "__Host-x", "__Secure-x", "TODO", "",
}

// flaunt shows an inventory that has seen hostile names, paths and attributes.
func flaunt(names ...string) *inventory.Inventory {
	found := inventory.New(nil)
	for _, name := range names {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = "/" + name
		r.Header.Set("Cookie", name+"=1; "+name+"1000=1; "+name+"1001=1; "+name+"1002=1")
		found.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
		for _, reason := range []consent.Reason{consent.ReasonUndeclared, consent.ReasonUnreadable, consent.ReasonInTrailer} {
			found.Observe(r, consent.Event{Cookie: name, Outcome: consent.OutcomeRemoved, Reason: reason, Attributes: consent.Attributes{
				Domain: name, Path: "/" + name, Lifetime: time.Hour, SameSite: name,
			}})
		}
	}
	return found
}

// checkShown holds what is true whatever was seen.
func checkShown(t testing.TB, found *inventory.Inventory) {
	page, data, source := show(t, found, ""), show(t, found, "?as=report"), show(t, found, "?as=go")

	assert.Empty(t, elementsBeyond(t, page, "html", "head", "meta", "title", "link", "body", "main", "h1", "h2", "p", "time", "nav", "a",
		"table", "thead", "tbody", "tr", "th", "td", "code", "small", "div", "ul", "li", "footer"))
	declared := show(t, found, "?as=json")
	assert.True(t, json.Valid([]byte(data)))
	assert.True(t, json.Valid([]byte(declared)))
	formatted, err := format.Source([]byte(source))
	require.NoError(t, err, source)
	assert.Equal(t, string(formatted), source, "gofmt would change it")

	for as, shown := range map[string]string{"page": page, "report": data, "json": declared, "go": source} {
		for _, r := range shown {
			if !strconv.IsPrint(r) && r != '\n' && (r != '\t' || as != "go") {
				assert.Fail(t, "steers what shows it", "%s holds %q", as, r)
			}
		}
	}
	for _, b := range []byte(data + declared) {
		require.Less(t, b, byte(0x7F))
	}
}

// elementsBeyond returns the elements and attributes of a page that are none of
// these or none of its own.
func elementsBeyond(t testing.TB, page string, elements ...string) (others []string) {
	attributes := []string{"lang", "charset", "name", "content", "rel", "href", "class", "scope", "datetime", "data-column"}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.Token()
		if err == io.EOF {
			return others
		}
		require.NoError(t, err)
		element, ok := token.(xml.StartElement)
		if !ok {
			if comment, ok := token.(xml.Comment); ok {
				others = append(others, string(comment))
			}
			continue
		}
		if !slices.Contains(elements, element.Name.Local) {
			others = append(others, element.Name.Local)
		}
		for _, a := range element.Attr {
			if !slices.Contains(attributes, a.Name.Local) {
				others = append(others, element.Name.Local+" "+a.Name.Local)
			}
		}
	}
}

func TestWhatIsShownEscapesEveryNamePathAndAttribute(t *testing.T) {
	for _, name := range hostile {
		t.Run(strconv.QuoteToASCII(name), func(t *testing.T) { checkShown(t, flaunt(name)) })
	}
	checkShown(t, flaunt(hostile...))
}

func TestThePageShowsANameAsItIs(t *testing.T) {
	page := show(t, flaunt("<script>", "\x1b[31m", "日本語"), "")
	assert.Contains(t, page, "<code>&lt;script&gt;</code>")
	assert.Contains(t, page, "<code>&#34;\\x1b[31m&#34;</code>")
	assert.Contains(t, page, "<code>日本語</code>")
}

func TestThePageSaysWhatWasFound(t *testing.T) {
	s := newSite(t, consent.Config{}, declare("lang", consent.Necessary))
	for _, path := range []string{"/a", "/b", "/c", "/d"} {
		s.visit(path, "_ga_AB12=1", "visitor=1; Path=/; Max-Age=86400; HttpOnly", "lang=1; Max-Age=7200; Path=/")
	}
	page := show(t, s.found, "")
	for _, want := range []string{
		"<code>_ga_*</code>", "such as &#34;_ga_AB12&#34;", "sent 4 times", "not set by this server",
		"Google (Google Analytics)", "statistics, kept for 730 days",
		"<code>visitor</code>", "set 4 times", "<code>/a</code>", "and elsewhere", "kept for 1 day; path &#34;/&#34;, HttpOnly",
		"Not as declared", "<code>lang</code>", "is kept for longer than its declared Lifetime",
		`href="?as=go"`, `href="?as=json"`, `href="?as=report"`, "Open Cookie Database",
	} {
		assert.Contains(t, page, want)
	}
}

func TestAnEmptyInventoryCanBeShown(t *testing.T) {
	found := inventory.New(nil)
	checkShown(t, found)
	assert.Contains(t, show(t, found, ""), "None so far")
	r := read(t, found)
	assert.Equal(t, []seen{}, r.Cookies, "a list and not null")
	assert.Equal(t, []seen{}, r.Faults)
}

func TestTheHandlerSaysWhatItSends(t *testing.T) {
	tests := []struct {
		method, query string
		status        int
		contentType   string
	}{
		{"GET", "", 200, "text/html; charset=utf-8"},
		{"HEAD", "", 200, "text/html; charset=utf-8"},
		{"GET", "?as=css", 200, "text/css; charset=utf-8"},
		{"GET", "?as=json", 200, "application/json"},
		{"GET", "?as=report", 200, "application/json"},
		{"GET", "?as=go&package=shop_2", 200, "text/plain; charset=utf-8"},
		{"GET", "?as=go&package=my-shop", 400, "text/plain; charset=utf-8"},
		{"GET", "?as=go&package=func", 400, "text/plain; charset=utf-8"},
		{"GET", "?as=go&package=_", 400, "text/plain; charset=utf-8"},
		{"GET", "?as=go&package=a%0Afunc+init()", 400, "text/plain; charset=utf-8"},
		{"GET", "?as=go", 200, "text/plain; charset=utf-8"},
		{"GET", "?as=xml", 400, "text/plain; charset=utf-8"},
		{"GET", "?as=js", 200, "text/javascript; charset=utf-8"},
		{"POST", "", 400, "text/plain; charset=utf-8"},
		{"PUT", "", 405, "text/plain; charset=utf-8"},
		{"DELETE", "?as=json", 405, "text/plain; charset=utf-8"},
	}
	for _, test := range tests {
		t.Run(test.method+test.query, func(t *testing.T) {
			w := httptest.NewRecorder()
			inventory.New(nil).Handler().ServeHTTP(w, httptest.NewRequest(test.method, "/debug/cookies"+test.query, nil))
			assert.Equal(t, test.status, w.Code)
			assert.Equal(t, test.contentType, w.Header().Get("Content-Type"))
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			switch w.Code {
			case http.StatusMethodNotAllowed:
				assert.Equal(t, "GET, HEAD, POST", w.Header().Get("Allow"))
			case http.StatusOK:
				assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestThePageMayLoadNothingButItsStyle(t *testing.T) {
	w := httptest.NewRecorder()
	inventory.New(nil).Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	policy := w.Header().Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'; style-src 'self'")
	assert.NotContains(t, policy, "unsafe")
	assert.NotContains(t, w.Body.String(), "<style")
	assert.NotContains(t, w.Body.String(), "<script")
}

func FuzzWhatIsShown(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { checkShown(t, flaunt(name)) })
}
