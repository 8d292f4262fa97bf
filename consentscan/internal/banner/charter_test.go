package banner_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
)

var declared = []consent.Cookie{
	{Provider: "Valombre", Name: "sessionid", Purpose: consent.Text{language.English: "Keeps you signed in."}, Category: consent.Necessary},
	{Provider: "Matomo", Name: "_pk_id*", Purpose: consent.Text{language.English: "Recognises a visitor."}, Category: consent.Statistics},
	{Provider: "Valombre", Name: "visits", Purpose: consent.Text{language.English: "Counts visits."}, Category: consent.Statistics, Anonymous: true},
	{Provider: "Valombre", Name: "recent", Purpose: consent.Text{language.English: "Suggests."}, Category: consent.FirstParty},
	{Provider: "Vimeo", Name: "vuid", Purpose: consent.Text{language.English: "Measures."}, Category: consent.ThirdParty},
	{Provider: "Twitch", Name: "twitch", Purpose: consent.Text{language.English: "Measures."}, Category: consent.ThirdParty},
}

// parts says what the pages of a site have of the charter.
type parts struct {
	banner, script, link bool
	policy               string
}

// charterSite serves pages with our charter.
func charterSite(t *testing.T, config charter.Config, p parts, cookies ...consent.Cookie) string {
	t.Helper()
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(cookies...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true,
		CookiePath: config.Prefix + "/",
	})
	require.NoError(t, err)
	config.Middleware = mw
	config.Failed = func(_ *http.Request, err error) { t.Log(err) }
	c, err := charter.New(config)
	require.NoError(t, err)
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.policy != "" {
			w.Header().Set("Content-Security-Policy", p.policy)
		}
		var head, top, foot string
		if p.banner {
			head, top = string(c.Head(r)), string(c.Banner(r))
		}
		if p.script {
			head += string(c.Script(r))
		}
		if p.link {
			foot = string(c.Link(r))
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><html lang=en><head><meta charset=utf-8><title>Site</title><link rel=icon href='data:,'>%s</head><body>%s<h1>Site</h1><div style='height: 2000px'></div><footer>%s</footer></body></html>", head, top, foot)
	})
	handler = mw.Wrap(c.Wrap(handler))
	if config.Prefix != "" {
		handler = http.StripPrefix(config.Prefix, handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + config.Prefix
}

// state is what the server knows of the visitor.
type state struct {
	Ask       bool
	At        *string
	Allowed   map[string][]string
	Objection bool
}

// state opens the document, since the policy of the charter's page allows no fetch.
func (v *visitor) state(path string) state {
	v.Helper()
	require.NoError(v, v.Open(v.Context(), origin(v.site)+path+"state.json"))
	var s state
	require.NoError(v, v.Eval(v.Context(), `JSON.parse(document.body.textContent)`, &s))
	return s
}

func (s state) categories() (allowed []string) {
	for category, providers := range s.Allowed {
		if len(providers) > 0 {
			allowed = append(allowed, category)
		}
	}
	slices.Sort(allowed)
	return allowed
}

func TestAnswersByOurOwnCharter(t *testing.T) {
	all := parts{banner: true, script: true, link: true}
	for _, test := range []struct {
		name   string
		config charter.Config
		parts
		path   string
		living bool // a withdrawal needs no other page
	}{
		{"with everything", charter.Config{}, all, "/cookies/", true},
		{"in Greek, as a card, with a button, under a policy that allows no fetch", charter.Config{Layout: charter.Card, Button: true, Language: language.Greek, LanguageOf: func(*http.Request) language.Tag { return language.Greek }}, parts{banner: true, script: true, policy: "default-src 'self'; style-src 'unsafe-inline'; connect-src 'none'"}, "/cookies/", true},
		{"below a prefix, at another path, as a bar at the head", charter.Config{Prefix: "/shop", Path: "/charte/", Layout: charter.TopBar}, all, "/shop/charte/", true},
		{"without a script, as a box", charter.Config{Layout: charter.TopBox}, parts{banner: true, link: true}, "/cookies/", false},
		{"by the script alone, without a link", charter.Config{Layout: charter.BottomBox, Prefix: "/a"}, parts{script: true}, "/a/cookies/", true},
		{"on pages that have nothing of it", charter.Config{}, parts{}, "/cookies/", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			site := charterSite(t, test.config, test.parts, declared...)
			v := &visitor{T: t, tab: newTab(t), site: site}

			t.Run("accepts and withdraws", func(t *testing.T) {
				v.begin(t, banner.Options{})
				require.Equal(t, "charter", v.way.Name())
				path, ok := banner.CharterPath(v.way)
				assert.True(t, ok)
				assert.Equal(t, test.path, path)
				kept, known, err := v.way.Kept(t.Context(), v)
				require.NoError(t, err)
				assert.True(t, known && !kept, "nothing is answered")
				require.NoError(t, v.way.Accept(t.Context(), v))
				require.NoError(t, v.Open(t.Context(), site+"/another"))
				kept, _, err = v.way.Kept(t.Context(), v)
				require.NoError(t, err)
				assert.True(t, kept)
				err = v.way.Withdraw(t.Context(), v)
				if !test.script && !test.link {
					assert.True(t, banner.IsCannot(err), err)
					return
				}
				require.NoError(t, err)
				if test.living {
					address, err := v.Address(t.Context())
					require.NoError(t, err)
					assert.Equal(t, site+"/another", address)
				}
				s := v.state(test.path)
				assert.Empty(t, s.categories())
				assert.False(t, s.Ask)
			})
			t.Run("refuses", func(t *testing.T) {
				v.begin(t, banner.Options{})
				require.NoError(t, v.way.Refuse(t.Context(), v))
				s := v.state(test.path)
				assert.Empty(t, s.categories())
				assert.NotNil(t, s.At)
				assert.False(t, s.Objection)
			})
			t.Run("allows one alone, and objects", func(t *testing.T) {
				v.begin(t, banner.Options{})
				choices, err := v.way.Choices(t.Context(), v)
				require.NoError(t, err)
				assert.Equal(t, []string{"statistics", "first-party", "third-party"}, choices)
				require.NoError(t, v.way.Only(t.Context(), v, "third-party"))
				assert.Equal(t, map[string][]string{"statistics": {}, "first-party": {}, "third-party": {"Twitch", "Vimeo"}}, v.state(test.path).Allowed)
				require.NoError(t, v.way.Object(t.Context(), v))
				s := v.state(test.path)
				assert.Empty(t, s.categories())
				assert.True(t, s.Objection)
				assert.True(t, banner.IsCannot(v.way.Only(t.Context(), v, "advertising")))
			})
		})
	}
}

func origin(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		panic(err) // a test's own
	}
	return u.Scheme + "://" + u.Host
}

func TestCharterWithoutAnonymousStatisticsHasNoObjection(t *testing.T) {
	t.Parallel()
	v := visit(t, charterSite(t, charter.Config{}, parts{banner: true}, declared[:2]...), banner.Options{})
	assert.True(t, banner.IsCannot(v.way.Object(t.Context(), v)))
}

func TestCharterIsFoundAtAPathThatIsGiven(t *testing.T) {
	t.Parallel()
	site := charterSite(t, charter.Config{Path: "/hidden/"}, parts{}, declared...)
	v := visit(t, site, banner.Options{Charter: "/hidden"})
	assert.Equal(t, "charter", v.way.Name())
	_, err := banner.Find(t.Context(), v, banner.Options{Charter: "/elsewhere/"})
	require.ErrorContains(t, err, "/elsewhere/")
}
