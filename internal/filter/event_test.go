package filter_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/setcookie"
	"github.com/cookiecharter/consent/internal/visitor"
)

// observed returns the events of one line, set where this is declared.
func observed(line, request string, declared ...policy.Declaration) (events []filter.Event) {
	for i := range declared {
		declared[i].Name = "n"
		if declared[i].Places == nil {
			declared[i].Places = at("", "/")
		}
	}
	p := policy.New(declared)
	var f filter.Filter
	r := httptest.NewRequest("GET", request, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	f.Visitor.Init(visitor.NewSite(&p, cookie, 0, presumption), "n=1", visitor.Law{}, nil)
	f.Init(&filter.Config{ExpireUndecided: true, Observe: func(_ *http.Request, e filter.Event) { events = append(events, e) }}, r, r, nil)
	f.Head(http.Header{"Set-Cookie": {line}}, true)
	return events
}

func TestAnEventSaysWhatTheLineSays(t *testing.T) {
	events := observed("n=1; Domain=.Example.org; Path=/x; Max-Age=60; Secure; HttpOnly; SameSite=None; Partitioned", "/",
		policy.Declaration{Need: policy.Consent})
	assert.Equal(t, []filter.Event{
		{Cookie: "n", Outcome: filter.Expired, Reason: "undecided"}, // by the filter's own line, which nobody has to be told
		{Cookie: "n", Outcome: filter.Removed, Reason: "undecided", Attributes: setcookie.Attributes{
			Domain: "example.org", Path: "/x", Lifetime: time.Minute, Secure: true, HttpOnly: true, Partitioned: true, SameSite: "None",
		}},
	}, events)
}

func TestACookieThatIsNotAsDeclaredPassesWithAReason(t *testing.T) {
	hour := policy.Declaration{Lifetime: time.Hour}
	for what, test := range map[string]struct {
		line     string // after the name and value
		request  string
		declared []policy.Declaration
		want     string
	}{
		"as declared":                       {"; Path=/", "/", []policy.Declaration{{}}, ""},
		"a shorter life":                    {"; Max-Age=60", "/", []policy.Declaration{hour}, ""},
		"until the browser is closed":       {"", "/", []policy.Declaration{hour}, ""},
		"a minute more":                     {"; Max-Age=3660", "/", []policy.Declaration{hour}, ""},
		"a minute and a second more":        {"; Max-Age=3661", "/", []policy.Declaration{hour}, "lifetime"},
		"a life where none is declared":     {"; Max-Age=61", "/", []policy.Declaration{{}}, "lifetime"},
		"the domain":                        {"; Domain=EXAMPLE.org", "/", []policy.Declaration{{Places: at("example.org", "/")}}, ""},
		"the domain with a dot":             {"; Domain=.example.org", "/", []policy.Declaration{{Places: at("example.org", "/")}}, ""},
		"the domain, declared with a dot":   {"; Domain=example.org", "/", []policy.Declaration{{Places: at(".Example.org", "/")}}, ""},
		"a domain where none is declared":   {"; Domain=example.org", "/", []policy.Declaration{{}}, ""},
		"no domain":                         {"", "/", []policy.Declaration{{Places: at("example.org", "/")}}, "domain"},
		"another domain":                    {"; Domain=www.example.org", "/", []policy.Declaration{{Places: at("example.org", "/")}}, "domain"},
		"the path":                          {"; Path=/a", "/", []policy.Declaration{{Places: at("", "/a")}}, ""},
		"the path of the request":           {"", "/a/b", []policy.Declaration{{Places: at("", "/a")}}, ""},
		"another path":                      {"; Path=/b", "/a/", []policy.Declaration{{Places: at("", "/a")}}, "path"},
		"a path where none is declared":     {"; Path=/b", "/", []policy.Declaration{{}}, "path"},
		"the request's where none is":       {"", "/a/b", []policy.Declaration{{}}, "path"},
		"everything":                        {"; Path=/b; Max-Age=7200", "/", []policy.Declaration{{Lifetime: time.Hour, Places: at("example.org", "/")}}, "lifetime domain path"},
		"as the first of two declares":      {"; Path=/a", "/", []policy.Declaration{{Places: at("", "/a")}, {Places: at("", "/b")}}, ""},
		"as the second of two declares":     {"; Path=/b", "/", []policy.Declaration{{Places: at("", "/a")}, {Places: at("", "/b")}}, ""},
		"as neither declares: the last one": {"; Path=/c", "/", []policy.Declaration{{Places: at("", "/a")}, {Places: at("example.org", "/b")}}, "domain path"},
	} {
		var reasons []string
		for _, e := range observed("n=1"+test.line, test.request, test.declared...) {
			assert.Equal(t, filter.Passed, e.Outcome, what)
			assert.Equal(t, "n", e.Cookie, what)
			reasons = append(reasons, e.Reason)
		}
		assert.Equal(t, test.want, strings.Join(reasons, " "), what)
	}
}

// A line without a '=' has no name in Chromium and one in Firefox. An event names
// the first, so that it never holds a value, and goes by what is declared for it.
func TestANamelessCookieIsComparedWithWhatIsDeclaredForIt(t *testing.T) {
	var events []string
	p := policy.New([]policy.Declaration{{Name: "*", Places: at("", "/a")}, {Name: "secret", Places: at("", "/")}})
	var f filter.Filter
	r := httptest.NewRequest("GET", "/", nil)
	f.Init(&filter.Config{Observe: func(_ *http.Request, e filter.Event) { events = append(events, e.Outcome+" "+e.Cookie+" "+e.Reason) }},
		r, r, nil)
	f.Visitor.Init(visitor.NewSite(&p, cookie, 0, presumption), "", visitor.Law{}, nil)
	f.Head(http.Header{"Set-Cookie": {"secret"}}, true)
	assert.Equal(t, []string{"passed  path"}, events)
}
