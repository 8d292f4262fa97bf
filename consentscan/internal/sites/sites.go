// Package sites serves small sites, each of which is one text file. Tests scan them:
// those of testdata/sites/bad have one fault each, those of testdata/sites/good none.
//
// # A file
//
// A file begins with a text that says what the site does. Sections follow, each under a
// line such as
//
//	-- declarations --
//
// Every address is written as that of a public site, "https://ads.example/tag.js", and
// every host as "ads.example". The server answers for "ads.localhost" and its port in
// their place, in all sections: Chromium takes such a host for a secure one, and
// "shop.localhost" and "ads.localhost" for different sites. "https:" becomes "http:", and
// "wss:" becomes "ws:". The site itself is always "shop.example".
//
// These sections have a name of their own:
//
//	declarations  what the site declares, as consent.ReadRegistry takes it. Required.
//	site          settings, one a line:
//	                banner: plain       the pages have a banner of their own, with #accept,
//	                                    #refuse and perhaps #withdraw, and neither the
//	                                    middleware nor a charter. Else both are there.
//	                law: by country     "CF-IPCountry: US" has a request come under an
//	                                    opt-out law. Else it is always opt-in.
//	                signals: google     charter.Google is told what the visitor allows.
//	setup         steps that come before a scan, in the form of -setup.
//	expect        findings, one JSON object a line: see [Expectation]. None: nothing is
//	              to be found.
//	proof         steps that show in a browser that the site does what it says: see
//	              [Step].
//
// # A route
//
// Every other section is a route, named by host and path as "shop.example/about". It
// answers any method. The site knows no query, and every other path is not found. The
// section holds a head, an empty line and a body:
//
//	-- ads.example/pixel.gif --
//	Set-Cookie: uid=1; Max-Age=86400; SameSite=None; Secure
//
// The lines of a head are fields of the response, but for these:
//
//	Status: 302           in place of 200
//	Delay: 300ms          before the answer
//	Proxy: Set-Cookie: …  a field that a proxy in front of the site adds, so that the
//	                      middleware does not see it
//	Early: Set-Cookie: …  a field of a response with status 103 that the proxy sends first
//
// Content-Type follows from the path, and is text/html if that has no extension. A path
// with ".gif" and no body is an image.
//
// Head and body are templates of package text/template. They know {{head}}, {{banner}}
// and {{link}} of the charter, {{embed CATEGORY PROVIDER CONTENT}}, {{allows CATEGORY}},
// {{decided}}, {{header NAME}} and {{cookie NAME}} of the request, and {{random}}: 16 hex
// digits.
package sites

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cookiecharter/consent"
)

// A Site is served until its test ends.
type Site struct {
	// Name is that of the file, without its folder and extension.
	Name string
	// URL is the address of the first page.
	URL      string
	Registry *consent.Registry

	// Plain says that the pages have a banner of their own, with the buttons that the
	// selectors name. Withdraw is empty if there is no such button.
	Plain                    bool
	Accept, Refuse, Withdraw string

	// OptOut are the fields of a request's head that bring the site under an opt-out law.
	// Nil: it knows none.
	OptOut map[string]string

	// Setup holds steps that come before a scan. Empty: none.
	Setup string

	Expected []Expectation
	Proof    []Step

	mu       sync.Mutex
	requests []Request
	mistakes []error
}

// An Expectation is a finding that a scan has to come to. All that it says has to hold;
// a finding that no expectation describes is a false alarm.
type Expectation struct {
	// Check, Kind, Name and Host are those of the finding. Of hosts the port does not
	// count. Host is optional.
	Check string `json:"check"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Host  string `json:"host"`

	// Stages have to be named by the finding, Never must not be. Both are optional.
	Stages []string `json:"stages"`
	Never  []string `json:"never"`

	// One place of the finding has to have How in its own, Script at the end of its own,
	// and the Line. All are optional.
	How    string `json:"how"`
	Script string `json:"script"`
	Line   int    `json:"line"`

	// Also are checks that may find fault with the same subject too, since they follow
	// from the same cause.
	Also []string `json:"also"`

	// Optional is for what follows from the fault and may be left unsaid.
	Optional bool `json:"optional"`
}

// A Request is one that the site or one of the hosts around it has got.
type Request struct {
	Method string
	// Host has no port: "ads.localhost".
	Host   string
	Path   string
	Header http.Header
}

// Open serves the site of a file. A mistake in the file ends the test, and a template
// that fails while it is served fails it.
func Open(t testing.TB, path string) *Site {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	site, err := start(t.Cleanup, path, string(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		site.mu.Lock()
		defer site.mu.Unlock()
		for _, mistake := range site.mistakes {
			t.Error(mistake)
		}
	})
	return site
}

// Requests returns what has arrived so far, in that order. What the charter was asked for
// is among it.
func (s *Site) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ForgetRequests has [Site.Requests] begin anew.
func (s *Site) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func nameOf(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
