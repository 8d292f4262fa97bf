package survey_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/proxy/declare"
	"github.com/cookiecharter/consent/proxy/internal/survey"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
)

// A small site: pages by path, each with its cookies, and what was asked for.
type small struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newSmall(t *testing.T, handler http.HandlerFunc) *small {
	s := new(small)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func html(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, body)
}

func look(t *testing.T, address string, o survey.Options) (*survey.Report, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	o.URL = u
	report, err := survey.Look(t.Context(), o)
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, report.WriteFile(&b, "keys"))
	return report, b.String()
}

// declared reads the declarations of a file that was written.
func declared(t *testing.T, file string) (*consent.Registry, []*yamldoc.Mistake) {
	t.Helper()
	document, mistakes := yamldoc.Parse([]byte(file))
	require.Empty(t, mistakes, file)
	return document.Get("declarations").Registry("declarations")
}

func TestASiteAsDjangoMakesItNeedsNothingMore(t *testing.T) {
	s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			html(w, `<html lang="fr-FR"><title>Accueil | Le portail</title><a href="/login?next=/#x">Compte</a><a href="https://other.example/">x</a>`)
		case "/login":
			w.Header().Add("Set-Cookie", "csrftoken=1; Max-Age=31449600; Path=/; SameSite=Lax")
			w.Header().Add("Set-Cookie", "sessionid=1; HttpOnly; Max-Age=1209600; Path=/")
			html(w, `<form action="/i18n/setlang/" method="post">`)
		default:
			http.NotFound(w, r)
		}
	})
	report, file := look(t, s.URL+"/", survey.Options{})
	registry, mistakes := declared(t, file)
	require.Empty(t, mistakes, file)
	var names []string
	for _, c := range registry.Cookies() {
		names = append(names, c.Name)
		assert.Equal(t, "Le portail", c.Provider)
		assert.Equal(t, consent.Necessary, c.Category)
	}
	assert.ElementsMatch(t, []string{"csrftoken", "sessionid", "django_language"}, names)
	assert.Equal(t, 14*24*3600., registry.Lookup("sessionid")[0].Lifetime.Seconds())
	assert.Equal(t, "Le portail", report.Name)
	assert.Contains(t, file, "\n  language: fr\n")
	assert.Contains(t, file, "\n  languageCookie: django_language\n")
	assert.NotContains(t, file, "guard:")
	assert.Contains(t, file, "\n  - to: "+s.URL+"\n")
	for _, asked := range s.asked {
		assert.True(t, strings.HasPrefix(asked, "GET "), "nothing is sent to a site that has no charter: %s", asked)
	}
}

func TestWhatAPageHoldsBackIsContactedByNobody(t *testing.T) {
	s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
		html(w, `<title>Acme</title><template data-consent="a"><template><img src="https://deep.example/a.png"></template><iframe src="https://video.example/v"></iframe></template>
<script type="text/plain" data-consent="a" data-src="https://www.googletagmanager.com/gtag/js?id=G-X1"></script><script type="text/plain" src="https://plain.example/a.js"></script>
<iframe src="https://map.example/"></iframe></template>`)
	})
	report, file := look(t, s.URL+"/", survey.Options{})
	assert.Equal(t, []string{"map.example"}, report.Hosts)
	assert.Contains(t, file, "name: _ga\n", "it is stored all the same, once it is allowed")
}

// Nobody signs in here, and what a site cannot do without is declared all the same.
func TestWhatAFrameworkSetsForWhoSignsInIsDeclared(t *testing.T) {
	for _, test := range []struct {
		name, page, setCookie string
		want                  map[string]string // by name, the lifetime
		comment               string
	}{
		{"Django", `<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="x">`, "csrftoken=1", map[string]string{"csrftoken": "", "sessionid": "336h0m0s"},
			"name: sessionid   # was not seen: Django sets it when somebody signs in\n"},
		{"Django with a session that was seen", `<input type="hidden" name="csrfmiddlewaretoken" value="x">`, "sessionid=1", map[string]string{"sessionid": ""}, "name: sessionid\n"},
		{"WordPress", `<link rel="stylesheet" href="/wp-content/themes/a/style.css">`, "wordpress_test_cookie=1", map[string]string{
			"wordpress_test_cookie": "", "wordpress_logged_in_*": "336h0m0s", "wordpress_sec_*": "336h0m0s", "wp-settings-*": "8760h0m0s",
		}, "name: wordpress_logged_in_*   # was not seen: WordPress sets it"},
		{"files of another site's WordPress", `<img src="https://other.example/wp-content/a.png"><input name="csrfmiddlewaretoken">`, "csrftoken=1", map[string]string{"csrftoken": ""}, "name: csrftoken\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("Set-Cookie", test.setCookie)
				html(w, `<title>Acme</title>`+test.page)
			})
			_, file := look(t, s.URL+"/", survey.Options{})
			registry, mistakes := declared(t, file)
			require.Empty(t, mistakes, file)
			got := map[string]string{}
			for _, c := range registry.Cookies() {
				assert.Equal(t, consent.Necessary, c.Category)
				assert.Equal(t, "Acme", c.Provider)
				if got[c.Name] = ""; c.Lifetime > 0 {
					got[c.Name] = c.Lifetime.String()
				}
			}
			assert.Equal(t, test.want, got)
			assert.Contains(t, file, test.comment)
		})
	}
}

func TestTagsInPagesAndScriptsAreKnownByWhatTheyStore(t *testing.T) {
	known, err := declare.Read(strings.NewReader("cookies:\n  - {provider: Google, name: _ga, category: audience-measurement, purpose: {en: Recognise.}}\n  - {provider: Google, name: _ga_*, category: audience-measurement, purpose: {en: Gather.}}\n"))
	require.NoError(t, err)
	s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			html(w, `<title>Acme</title><script async src="https://www.googletagmanager.com/gtag/js?id=G-X1"></script><script src="/app.js?v=2"></script>
<script src="https://cdn.example/lib.js"></script><iframe src="https://player.example/v"></iframe>`)
		case "/app.js":
			fmt.Fprint(w, `_paq.push(["trackPageView"]);document.cookie = "theme="+x;`)
		default:
			http.NotFound(w, r)
		}
	})
	report, file := look(t, s.URL+"/", survey.Options{Known: known})
	registry, mistakes := declared(t, file)
	assert.Nil(t, registry)
	var said []string
	for _, m := range mistakes {
		said = append(said, m.Reason)
	}
	assert.Equal(t, []string{`says TODO in "en"`, `says TODO in "en"`, `says TODO in "en"`}, said, "of _pk_id*, _pk_ses* and theme the purposes alone: %s", file)
	for _, name := range []string{"_ga\n", "_ga_*\n", "_pk_id*\n", "_pk_ses*\n", "theme\n"} {
		assert.Contains(t, file, "name: "+name)
	}
	assert.Contains(t, file, "      name: theme\n      purpose:\n        en: 'TODO")
	assert.Contains(t, file, "category: first-party   # asks for consent")
	assert.Contains(t, file, "\n  guard: declared ")
	assert.Equal(t, []string{"cdn.example", "player.example"}, report.Hosts)
	assert.Contains(t, file, "#   cdn.example\n")
}

func TestASiteWithACharterIsSeenWithConsentToo(t *testing.T) {
	registry, err := declare.Read(strings.NewReader("cookies:\n  - {provider: Ads, name: ad_id, category: third-party, purpose: {en: Choose.}}\n  - {provider: P, name: signed_in, category: necessary, purpose: {en: Remember.}, lifetime: 1 day}\n"))
	require.NoError(t, err)
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{[]byte(strings.Repeat("k", 32))}, Insecure: true, AllowUndeclared: true})
	require.NoError(t, err)
	c, err := charter.New(charter.Config{Middleware: mw})
	require.NoError(t, err)
	s := newSmall(t, mw.Wrap(c.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if consent.FromContext(r.Context()).Allows(consent.ThirdParty) {
			w.Header().Add("Set-Cookie", "ad_pixel=1; Path=/")
		}
		w.Header().Add("Set-Cookie", "ad_id=1; Path=/")
		html(w, `<title>x</title><script src="/cookies/script.js"></script>`)
	}))).ServeHTTP)
	_, file := look(t, s.URL+"/", survey.Options{})
	assert.Contains(t, file, "name: ad_pixel\n", "set for a visitor who has accepted")
	assert.Contains(t, file, "provider: Ads\n      name: ad_id\n      purpose:\n        en: Choose.\n      category: third-party\n")
	assert.Contains(t, file, "name: signed_in\n", "declared, and seen by those alone who sign in")
	assert.NotContains(t, file, "name: charter\n", "which the charter's own script sets for a moment")
	assert.Contains(t, s.asked, "POST /cookies/")
}

func TestRobotsAreHeededAndTheWalkIsBounded(t *testing.T) {
	s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/robots.txt":
			fmt.Fprint(w, "User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private # all\nAllow: /private/open\nDisallow: /*.pdf$\n")
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case r.URL.Path == "/away":
			http.Redirect(w, r, "http://other.example/", http.StatusFound)
		default:
			var b strings.Builder
			b.WriteString(`<a href="/private/a">x</a><a href="/private/open/a">x</a><a href="/x.pdf">x</a><a href="/x.pdf?y">x</a><a href="/user/logout">x</a><a href="/loop">x</a><a href="/away">x</a>`)
			for i := range 100 {
				fmt.Fprintf(&b, `<a href="%s/%d">x</a>`, strings.TrimSuffix(r.URL.Path, "/"), i)
			}
			html(w, b.String())
		}
	})
	report, file := look(t, s.URL+"/", survey.Options{Pages: 12})
	asked := strings.Join(s.asked, "\n") + "\n"
	assert.NotContains(t, asked, "/private/a\n")
	assert.NotContains(t, asked, "/x.pdf\n")
	assert.NotContains(t, asked, "logout")
	assert.Contains(t, asked, "/private/open/a\n")
	assert.Contains(t, asked, "/x.pdf?y\n")
	assert.LessOrEqual(t, report.Pages, 12)
	assert.Less(t, len(s.asked), 50)
	assert.Contains(t, file, "robots.txt asks to leave it out")
	assert.Contains(t, file, "leads in a circle")
	assert.Contains(t, file, "leads to another host; begin there: other.example")
	assert.Contains(t, file, "12 pages were seen, and there are more")
	assert.Contains(t, file, "cookies: []   # none was seen")
}

// Whatever a site says of itself is text in the file.
func TestAHostileSiteWritesNoSettings(t *testing.T) {
	s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a:b{}\"'=1; Path=/\xc3\xa9: x; Domain=evil\ninject")
		w.Header().Add("Set-Cookie", "no=1; Path=/")
		html(w, "<html lang='x: y'><meta property=og:site_name content='x\nlisten: evil # \u2028admin: evil'><script>document.cookie=\"#&*!|>'=1\"</script><img src='https://a\"b.example/x'>")
	})
	_, file := look(t, s.URL+"/", survey.Options{})
	document, mistakes := yamldoc.Parse([]byte(file))
	require.Empty(t, mistakes, file)
	assert.True(t, document.Get("listen").IsText("localhost:8080"), file)
	assert.Nil(t, document.Get("admin"), file)
	assert.Contains(t, file, `name: "no"`)
}

func TestAPageThatCannotBeHadIsAnError(t *testing.T) {
	for path, says := range map[string]string{"/404": "404 Not Found", "/away": "leads to another host"} {
		s := newSmall(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/away" {
				http.Redirect(w, r, "http://other.example/", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
		})
		u, err := url.Parse(s.URL + path)
		require.NoError(t, err)
		_, err = survey.Look(t.Context(), survey.Options{URL: u})
		assert.ErrorContains(t, err, says)
	}
	u, err := url.Parse("http://127.0.0.1:1/")
	require.NoError(t, err)
	_, err = survey.Look(t.Context(), survey.Options{URL: u})
	assert.ErrorContains(t, err, "connection refused")
}
