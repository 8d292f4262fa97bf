package filter_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/visitor"
)

func TestWhatIsRefusedIsExpiredWithEveryPage(t *testing.T) {
	fetch := func(mode, destination string) http.Header {
		return http.Header{"Sec-Fetch-Mode": {mode}, "Sec-Fetch-Dest": {destination}}
	}
	for what, test := range map[string]struct {
		request, response http.Header
		want              bool
	}{
		"a page":                               {fetch("navigate", "document"), nil, true},
		"a page in a frame":                    {fetch("navigate", "iframe"), nil, true},
		"a page in an old frame":               {fetch("navigate", "frame"), nil, true},
		"a page that is no HTML":               {fetch("navigate", "document"), http.Header{"Content-Type": {"text/plain"}}, true},
		"an image":                             {fetch("no-cors", "image"), nil, false},
		"a script that fetches HTML":           {fetch("cors", "empty"), http.Header{"Content-Type": {"text/html"}}, false},
		"an object":                            {fetch("navigate", "object"), nil, false},
		"an old browser gets HTML":             {nil, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, true},
		"an old browser gets HTML, shouted":    {nil, http.Header{"content-type": {"TEXT/HTML"}}, true},
		"an old browser gets JSON":             {http.Header{"Accept": {"text/html"}}, http.Header{"Content-Type": {"application/json"}}, false},
		"an old browser goes to a page":        {http.Header{"Accept": {"text/html,application/xhtml+xml"}}, nil, true},
		"an old browser wants an image":        {http.Header{"Accept": {"image/png"}}, nil, false},
		"somebody who does not say what it is": {nil, nil, false},
	} {
		for how, send := range map[string]func(*tested, http.Header) []string{
			"by the server": func(f *tested, h http.Header) []string { f.Head(h, true); return h["Set-Cookie"] },
			"by hand": func(f *tested, h http.Header) (lines []string) {
				var fields []rawhead.Field
				for name, values := range h {
					fields = append(fields, rawhead.Field{Name: name, Value: values[0]})
				}
				for _, field := range f.Fields(200, fields) {
					if field.Name == "Set-Cookie" {
						lines = append(lines, field.Value)
					}
				}
				return lines
			},
		} {
			f := observing(t, plain, "ad=1; mood=1; _pk.1=1; visits=1; sessionid=1; other=1", decided())
			for name, values := range test.request {
				f.request.Header[name] = values
			}
			f.comes()
			h := http.Header{}
			for name, values := range test.response {
				h[name] = values
			}
			got := send(f, h)
			if !test.want {
				assert.Empty(t, got, "%s, %s", what, how)
				assert.Empty(t, f.events)
				continue
			}
			assert.Equal(t, append([]string{"ad=; Path=/ads; Max-Age=0; Domain=example.org"}, expiries("visits")...), got, "%s, %s", what, how)
			assert.Equal(t, []string{"expired ad refused", "expired visits objected"}, f.events)
		}
	}
}

func TestWhatWasNotAnsweredIsExpiredIfTheSiteSaysSo(t *testing.T) {
	extended := filter.Config{ExpireUndecided: true}
	for what, test := range map[string]struct {
		config filter.Config
		law    visitor.Law
		want   []string
	}{
		"not said":       {plain, visitor.Law{}, nil},
		"said":           {extended, visitor.Law{}, []string{"expired ad undecided", "expired mood undecided"}},
		"presumed":       {extended, lenient, nil},
		"may be decided": {extended, visitor.Law{HeldBack: true}, nil},
	} {
		f := observing(t, test.config, "", nil)
		f.Visitor = visitor.Visitor{}
		f.Visitor.Init(site, "ad=1; mood=1; visits=1; other=1", test.law, nil)
		goTo(f)
		f.Head(http.Header{}, true)
		assert.Equal(t, test.want, f.events, what)
	}
}

func TestWhereNothingIsRefusedNothingIsExpired(t *testing.T) {
	f := observing(t, plain, "_pk.1=1; sessionid=1; other=1; mood=1", decided())
	goTo(f)
	h := http.Header{}
	f.Head(h, true)
	assert.Empty(t, h, "nor is the response private")
}

func TestOnlyADecisionExpiresWhatTheRequestDoesNotCarry(t *testing.T) {
	below := []string{"ad=; Path=/ads; Max-Age=0; Domain=example.org", "shared=; Path=/a; Max-Age=0", "shared=; Path=/b; Max-Age=0"}
	for path, lie := range map[string][]string{
		"/": below, "/ad": below, "/adsense": below,
		"/ads": below[1:], "/ads/": below[1:], "/ads/1?q": below[1:],
		"/a": {below[0], below[2]}, "/b/": below[:2],
	} {
		for decides, want := range map[bool][]string{true: lie, false: nil} {
			f := observing(t, plain, "", nil)
			f.request.RequestURI = path
			f.request.URL.Path = "/rewritten"
			if decides {
				decide(t, f)
			} else {
				f = observing(t, plain, "x=1", decided())
				goTo(f)
			}
			h := http.Header{}
			f.Head(h, true)
			var got []string
			for _, line := range h["Set-Cookie"] {
				if !strings.HasPrefix(line, name+"=") && (!strings.HasPrefix(line, "shared") || !strings.Contains(line, "Domain")) {
					got = append(got, line)
				}
			}
			assert.Equal(t, want, got, "%s, decides: %v", path, decides)
		}
	}
}

// A head that is longer than a proxy's buffer is lost as a whole.
func TestWhatExpiresCookiesStaysWithinABudget(t *testing.T) {
	var declared []policy.Declaration
	var sent []string
	for i := range 200 {
		name := fmt.Sprintf("tracker_%d", i)
		declared = append(declared, policy.Declaration{Party: adCo, Name: name, Need: policy.Consent, Places: at("", "/")})
		sent = append(sent, name+"=1")
	}
	p := policy.New(declared)
	all := visitor.NewSite(&p, cookie, 0, presumption)
	carried := map[string]bool{}
	for range 60 {
		f := observing(t, plain, "", decided())
		cookies := f.Visitor.Cookies()
		f.Visitor = visitor.Visitor{}
		f.Visitor.Init(all, strings.Join(sent, "; ")+"; "+cookies, visitor.Law{}, nil)
		goTo(f)
		h := http.Header{}
		f.Head(h, true)
		size := 0
		for _, line := range h["Set-Cookie"] {
			size += len("Set-Cookie: \r\n") + len(line)
			name, _, _ := strings.Cut(line, "=")
			carried[name] = true
		}
		assert.LessOrEqual(t, size, 2<<10)
		assert.Greater(t, size, 1<<10)
		assert.NotEmpty(t, f.events)
	}
	assert.Greater(t, len(carried), 150, "each response takes another turn")
}

// Two applications with the same declarations wrap one another, or one is wrapped twice.
func TestWhatIsExpiredInsideIsNotExpiredOutside(t *testing.T) {
	outer := observing(t, plain, "ad=1", decided())
	goTo(outer)
	inner := observing(t, plain, "", nil)
	inner.Visitor = visitor.Visitor{}
	inner.Visitor.Init(site, "", visitor.Law{}, &outer.Visitor)
	goTo(inner)
	h := http.Header{}
	inner.Head(h, true)
	outer.Head(h, true)
	assert.Equal(t, []string{"ad=; Path=/ads; Max-Age=0; Domain=example.org"}, h["Set-Cookie"])
}
