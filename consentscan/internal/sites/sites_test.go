package sites_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/sites"
)

const declared = `-- declarations --
{"cookies": [{"provider": "Shop", "name": "visits", "category": "statistics", "lifetime": "30 days", "origins": ["https://*.ads.example"], "purpose": {"en": "Counts."}}]}
`

func TestAMistakeInAFileHasItsLine(t *testing.T) {
	t.Parallel()
	const page = "-- shop.example/ --\n\nA page.\n"
	for name, test := range map[string]struct{ text, want string }{
		"no mistake":              {declared + page, ""},
		"no declarations":         {page, `a.txt:1: there is no section "declarations"`},
		"no first page":           {declared, `a.txt:1: there is no section "shop.example/"`},
		"a declaration":           {"-- declarations --\n{\"cookies\": [{}]}\n" + page, `a.txt:2: `},
		"a section twice":         {declared + page + page, `a.txt:6: there are two sections`},
		"no route":                {declared + page + "-- about --\n", `a.txt:6: the section "about" is neither`},
		"a setting":               {declared + page + "-- site --\n# a word\nbanner: loud\n", `a.txt:8: "banner: loud" is no setting`},
		"a step":                  {declared + page + "-- proof --\nvisit /\nlook\n", `a.txt:8: "look" is no step`},
		"an expectation's field":  {declared + page + "-- expect --\n\n{\"chek\": \"undeclared\"}\n", `a.txt:8: json: unknown field "chek"`},
		"half an expectation":     {declared + page + "-- expect --\n{\"check\": \"undeclared\"}\n", `a.txt:7: an expectation needs`},
		"a head":                  {declared + "-- shop.example/ --\nLength: 1\nA page.\n\n", `a.txt:5: "A page." is no line of a head`},
		"a function of a body":    {declared + "-- shop.example/ --\nStatus: 200\n\n<p>\n{{banana}}\n", `template: a.txt:7: function "banana" not defined`},
		"a function of a head":    {declared + "-- shop.example/ --\nStatus: 200\nETag: {{banana}}\n\n", `template: a.txt:5: function "banana" not defined`},
		"a function without head": {declared + "-- shop.example/ --\n\n{{banana}}\n", `template: a.txt:5: function "banana" not defined`},
	} {
		err := sites.Check("a.txt", test.text)
		if test.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, test.want, name)
		}
	}
}

func TestAllMistakesOfAFileComeBackAtOnce(t *testing.T) {
	t.Parallel()
	err := sites.Check("a.txt", "-- site --\nloud\nquiet\n")
	for _, want := range []string{"a.txt:2", "a.txt:3", "declarations", "shop.example/"} {
		assert.ErrorContains(t, err, want)
	}
}

func TestARouteAnswersAsItsHeadSays(t *testing.T) {
	t.Parallel()
	site := open(t, declared+`-- shop.example/ --
Set-Cookie: held=1
Set-Cookie: visits=1
Proxy: Set-Cookie: passed=1

{{banner}}{{link}} https://ads.example/a //ads.example wss://ads.example Domain=ads.example
-- shop.example/go --
Status: 302
Location: https://cdn.shop.example/pixel.gif
-- cdn.shop.example/pixel.gif --
Set-Cookie: dot=1
`)
	assert.Equal(t, []string{"http://*.ads.localhost:" + port(site)}, site.Registry.Cookies()[0].Origins)

	first, body := get(t, site, "shop.localhost", "/")
	assert.Equal(t, 200, first.StatusCode)
	assert.Equal(t, []string{"passed=1"}, first.Header["Set-Cookie"], "the middleware does not see the proxy")
	assert.Equal(t, "text/html; charset=utf-8", first.Header.Get("Content-Type"))
	assert.Contains(t, body, `value="refuse"`, "the banner")
	assert.Contains(t, body, strings.ReplaceAll("http://ads.localhost:P/a //ads.localhost:P ws://ads.localhost:P Domain=ads.localhost", "P", port(site)))

	second, _ := get(t, site, "shop.localhost", "/go")
	assert.Equal(t, 302, second.StatusCode)
	assert.Equal(t, "http://cdn.shop.localhost:"+port(site)+"/pixel.gif", second.Header.Get("Location"))

	third, body := get(t, site, "cdn.shop.localhost", "/pixel.gif")
	assert.Equal(t, "image/gif", third.Header.Get("Content-Type"))
	assert.Equal(t, []string{"dot=1"}, third.Header["Set-Cookie"])
	assert.True(t, strings.HasPrefix(body, "GIF89a"))

	missing, _ := get(t, site, "ads.localhost", "/")
	assert.Equal(t, 404, missing.StatusCode)

	var asked []string
	for _, r := range site.Requests() {
		asked = append(asked, r.Host+r.Path)
	}
	assert.Equal(t, []string{"shop.localhost/", "shop.localhost/go", "cdn.shop.localhost/pixel.gif", "ads.localhost/"}, asked)
	site.ForgetRequests()
	assert.Empty(t, site.Requests())
}

func open(t *testing.T, text string) *sites.Site {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return sites.Open(t, path)
}

func port(site *sites.Site) string {
	address, _ := url.Parse(site.URL)
	return address.Port()
}

func get(t *testing.T, site *sites.Site, host, path string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port(site)+path, nil)
	require.NoError(t, err)
	request.Host = host + ":" + port(site)
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}
