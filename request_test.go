package consent_test

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

func TestNothingLeaksToHandlersBelowWhereItIsHidden(t *testing.T) {
	hide := func(c *consent.Config) { c.HideRefused = true }
	mw := middleware(t, hide)
	partly := decide(t, mw, consent.RefuseAll().WithProviders(consent.FirstParty, "Site"))
	for name, test := range map[string]struct{ cookies, want string }{
		"before any choice": {"sessionid=1; profile=1;  nobody=\"x\";_pk_id.2=3; visits=1", "sessionid=1;  nobody=\"x\"; visits=1"},
		"by the choice":     {"profile=1; ad_id=1; " + partly, "profile=1; " + partly},
		"nothing to hide":   {"sessionid=1;;x", "sessionid=1;;x"},
		"all of it":         {"profile=1", ""},
		"none at all":       {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			outside := httptest.NewRequest("GET", "/", nil)
			if test.cookies != "" {
				outside.Header.Set("Cookie", test.cookies)
			}
			through(t, mw, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, test.want, r.Header.Get("Cookie"))
				_, has := r.Header["Cookie"]
				assert.Equal(t, test.want != "", has)
			})).ServeHTTP(httptest.NewRecorder(), outside)
			assert.Equal(t, test.cookies, outside.Header.Get("Cookie"), "the request outside stays as it is")
		})
	}
	saved := serve(t, mw, "profile=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.Contains(t, saved.Header["Set-Cookie"], "profile=; Path=/; Max-Age=0", "what is hidden is expired all the same")
	reported := middleware(t, func(c *consent.Config) { c.HideRefused, c.ReportOnly = true, true })
	serve(t, reported, "profile=1", func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "profile=1", r.Header.Get("Cookie"))
	})
}

// HTTP/2 lets a browser send its cookies in several fields.
func TestNothingIsForgottenOfASecondCookieField(t *testing.T) {
	ask := func(mw *consent.Middleware, fields []string, handler http.HandlerFunc) *http.Response {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header["Cookie"] = fields
		through(t, mw, handler).ServeHTTP(w, r)
		return w.Result()
	}
	mw := middleware(t, nil)
	yes := decide(t, mw, consent.AcceptAll())
	assert.Equal(t, []string{"profile"}, names(ask(mw, []string{"sessionid=1", yes}, set("profile=1"))), "the decision")
	refused := ask(mw, []string{"sessionid=1", "profile=1"}, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.Contains(t, refused.Header["Set-Cookie"], "profile=; Path=/; Max-Age=0", "what is refused")

	hiding := middleware(t, func(c *consent.Config) { c.HideRefused = true })
	fields := []string{"sessionid=1; profile=1", "profile=2", "ad_id=1; nobody=1", yes}
	ask(hiding, slices.Clone(fields), func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, fields, r.Header["Cookie"])
	})
	ask(hiding, []string{"profile=1", "sessionid=1"}, func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, []string{"sessionid=1"}, r.Header["Cookie"])
	})
	ask(hiding, fields[:3], func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, []string{"sessionid=1", "nobody=1"}, r.Header["Cookie"])
	})
}

func TestNothingLeaksToOriginsThatAreNotAllowed(t *testing.T) {
	declared := append(site(),
		consent.Cookie{Provider: "Video", Name: "v", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{"https://*.video.example", "wss://live.video.example:8443"}},
		consent.Cookie{Provider: "Video", Name: "v2", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{"https://*.video.example"}},
		consent.Cookie{Provider: "CDN", Name: "cdn", Purpose: text("x"), Category: consent.Necessary, Origins: []string{"https://cdn.example"}},
		consent.Cookie{Provider: "Count", Name: "count", Purpose: text("x"), Category: consent.Statistics, Anonymous: true, Origins: []string{"http://127.0.0.1:8081"}},
	)
	mw := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared...) })
	for _, test := range []struct {
		cookies string
		want    []string
	}{
		{"", []string{"http://127.0.0.1:8081", "https://cdn.example"}},
		{decide(t, mw, consent.AcceptAll()), []string{"http://127.0.0.1:8081", "https://*.video.example", "https://cdn.example", "wss://live.video.example:8443"}},
		{decide(t, mw, consent.RefuseAll().WithObjection()), []string{"https://cdn.example"}},
	} {
		serve(t, mw, test.cookies, func(_ http.ResponseWriter, r *http.Request) {
			assert.Equal(t, test.want, consent.FromContext(r.Context()).Origins())
		})
	}
	assert.Nil(t, consent.Preferences{}.Origins())

	for _, origin := range []string{"", "video.example", "https://", "https://video.example/", "https://a b", "https://a;script-src *", "https://a'", "javascript://x", "https://*", "*", "https://a.*.b", "https://a:", "https://a:x", "https://u@a", "https://.a", "https://a?b", "https://a:65536", "https://a:+1", "https://*.127.0.0.1"} {
		_, err := consent.NewRegistry(consent.Cookie{Provider: "P", Name: "n", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{"https://ok.example", origin}})
		assert.Equal(t, []string{"Origins[1]"}, fields(err), origin)
	}
}

func TestNothingLeaksWhereAnAllowedAndARefusedCookieShareAnOrigin(t *testing.T) {
	for name, test := range map[string]struct {
		asked, allowed string // of the cookie that needs consent, and of the one that needs none
		shared         bool
	}{
		"the same":                        {"https://suite.example", "https://suite.example", true},
		"in other letters":                {"https://Suite.example", "https://suite.Example", true},
		"of another scheme":               {"https://suite.example", "http://suite.example", true},
		"with its default port":           {"https://suite.example:443", "https://suite.example", true},
		"one of all that are allowed":     {"https://ads.suite.example", "https://*.suite.example", true},
		"all, of which one is allowed":    {"https://*.suite.example:8443", "https://cdn.suite.example:8443", true},
		"all of one of all":               {"https://*.ads.suite.example", "https://*.suite.example", true},
		"another host":                    {"https://ads.suite.example", "https://cdn.suite.example", false},
		"another port":                    {"https://suite.example:8443", "https://suite.example", false},
		"the host above all the others":   {"https://*.suite.example", "https://suite.example", false},
		"a host that ends like another":   {"https://*.suite.example", "https://mysuite.example", false},
		"a host that holds the other one": {"https://suite.example", "https://suite.example.org", false},
	} {
		t.Run(name, func(t *testing.T) {
			mw := middleware(t, func(c *consent.Config) {
				c.Registry = consent.MustRegistry(
					consent.Cookie{Provider: "Suite", Name: "basket", Purpose: text("x"), Category: consent.Necessary, Origins: []string{test.allowed}},
					consent.Cookie{Provider: "Suite", Name: "ad", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{test.asked}},
				)
			})
			both := []string{test.allowed, test.asked}
			slices.Sort(both)
			without := []string{test.allowed}
			if test.shared {
				without = nil
			}
			for _, step := range []struct {
				cookies string
				want    []string
			}{
				{"", without},
				{decide(t, mw, consent.RefuseAll()), without},
				{decide(t, mw, consent.AcceptAll()), slices.Compact(both)},
			} {
				serve(t, mw, step.cookies, func(_ http.ResponseWriter, r *http.Request) {
					assert.Equal(t, step.want, consent.FromContext(r.Context()).Origins())
				})
			}
		})
	}
}

func TestNothingIsForgottenOfARegimeWithinTheResponse(t *testing.T) {
	l := &ledger{}
	american := func(c *consent.Config) {
		c.Regime, c.Recorder = everywhere(consent.OptOut), l
	}
	before := middleware(t, func(c *consent.Config) { american(c); c.Registry = consent.MustRegistry(site()[:3]...) })
	_, err := save(t, before, "", consent.AcceptAll())
	require.NoError(t, err)
	mw := middleware(t, american)
	response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Restore(w, r, l.kept[0]))
		prefs := consent.FromContext(r.Context())
		assert.True(t, prefs.Regime() == consent.OptOut && prefs.Presumed(consent.FirstParty))
		set("profile=1")(w, r)
	})
	assert.Equal(t, "profile=1", response.Header["Set-Cookie"][0])
	serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		prefs := consent.FromContext(r.Context())
		assert.True(t, prefs.Regime() == consent.OptOut && prefs.Decided())
		assert.False(t, prefs.Allows(consent.FirstParty))
	})
}

func TestNothingIsInventedUnderOptOut(t *testing.T) {
	american := func(c *consent.Config) {
		byCountry := consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut})
		c.Regime = func(r *http.Request) consent.Regime {
			assert.False(t, consent.FromContext(r.Context()).Decided(), "the function knows nothing of the visitor")
			return byCountry(r)
		}
	}
	mw := middleware(t, american)
	ask := func(cookies string, headers ...string) (got []string, prefs consent.Preferences, response *http.Response) {
		r := httptest.NewRequest("GET", "https://www.example.com/", nil)
		r.Header.Set("Cookie", cookies)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			prefs = consent.FromContext(r.Context())
			set("sessionid=1", "profile=1", "ad_id=1", "mood=1", "other=1")(w, r)
		})).ServeHTTP(w, r)
		return names(w.Result()), prefs, w.Result()
	}
	most, strict, gpc := []string{"sessionid", "profile", "ad_id", "mood"}, []string{"sessionid"}, []string{"sessionid", "profile", "mood"}
	no, yes := decide(t, mw, consent.RefuseAll()), decide(t, mw, consent.AcceptAll())

	got, prefs, response := ask("", "Country", "US")
	assert.Equal(t, most, got)
	assert.Equal(t, "private", response.Header.Get("Cache-Control"))
	assert.True(t, prefs.Regime() == consent.OptOut && prefs.Allows(consent.ThirdParty) && prefs.Consented(consent.ThirdParty, "AdCo"))
	assert.False(t, prefs.Decided() || prefs.RefusedByGPC())
	assert.True(t, prefs.DecidedAt().IsZero())
	assert.True(t, prefs.Presumed(consent.FirstParty) && prefs.Presumed(consent.ThirdParty))
	assert.False(t, prefs.Presumed(consent.Necessary) || prefs.Presumed("undeclared"), "where nobody is asked nothing is presumed")

	got, _, _ = ask("", "Country", "US", "Sec-GPC", "0", "Sec-GPC", "1")
	assert.Equal(t, gpc, got, "of several values one is enough")
	got, prefs, _ = ask("", "Country", "US", "Sec-GPC", "1")
	assert.Equal(t, gpc, got)
	assert.True(t, prefs.RefusedByGPC() && prefs.Regime() == consent.OptOut)
	assert.False(t, prefs.Allows(consent.ThirdParty) || prefs.Decided())
	assert.True(t, prefs.Presumed(consent.FirstParty))
	assert.False(t, prefs.Presumed(consent.ThirdParty))

	for _, test := range []struct {
		what, cookies string
		headers, want []string
	}{
		{"opt-in elsewhere", "", nil, strict},
		{"GPC changes nothing there", yes, []string{"Sec-GPC", "1"}, most},
		{"nor before a choice", "", []string{"Sec-GPC", "1"}, strict},
		{"a refusal stands", no, []string{"Country", "US"}, strict},
		{"an explicit choice wins over GPC", yes, []string{"Country", "US", "Sec-GPC", "1"}, most},
		{"another value is no signal", "", []string{"Country", "US", "Sec-GPC", "0"}, most},
	} {
		t.Run(test.what, func(t *testing.T) {
			got, prefs, _ := ask(test.cookies, test.headers...)
			assert.Equal(t, test.want, got)
			assert.Equal(t, slices.Contains(test.headers, "US"), prefs.Regime() == consent.OptOut)
			assert.False(t, prefs.RefusedByGPC())
			assert.Equal(t, test.what == "another value is no signal", prefs.Presumed(consent.FirstParty))
		})
	}
	assert.False(t, consent.Preferences{}.Presumed(consent.FirstParty))

	objecting := decide(t, mw, consent.AcceptAll().WithObjection())
	raised := middleware(t, func(c *consent.Config) { american(c); c.Revision = 1 })
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", objecting)
	r.Header.Set("Country", "US")
	w := httptest.NewRecorder()
	through(t, raised, set("visits=1", "profile=1")).ServeHTTP(w, r)
	assert.Equal(t, []string{"profile=1"}, w.Result().Header["Set-Cookie"], "an objection stands, whatever is asked for again")
}

func TestNothingElseChangesForTheFilesOfAForm(t *testing.T) {
	run := func(wrap func(testing.TB, http.Handler) http.Handler) bool {
		var name string
		server := httptest.NewServer(wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !assert.NoError(t, r.ParseMultipartForm(1)) {
				return
			}
			f, err := r.MultipartForm.File["f"][0].Open()
			if assert.NoError(t, err) {
				name = f.(*os.File).Name()
				f.Close()
			}
		})))
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		p, _ := m.CreateFormFile("f", "f")
		p.Write(make([]byte, 11<<20))
		m.Close()
		response, err := http.Post(server.URL, m.FormDataContentType(), &body)
		require.NoError(t, err)
		response.Body.Close()
		server.Close()
		require.NotEmpty(t, name)
		_, err = os.Stat(name)
		os.Remove(name)
		return errors.Is(err, os.ErrNotExist)
	}
	require.True(t, run(bare), "bare: removed")
	assert.True(t, run(wrapped), "wrapped: left behind")
}

func TestNothingElseChangesForWhoeverReadsTheFormOutside(t *testing.T) {
	for name, read := range map[string]func(*http.Request) error{
		"ParseForm":       (*http.Request).ParseForm,
		"MultipartReader": func(r *http.Request) error { _, err := r.MultipartReader(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			run := func(wrap func(testing.TB, http.Handler) http.Handler) string {
				r := httptest.NewRequest("POST", "/?a=b", strings.NewReader("c=d"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if name == "MultipartReader" {
					r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
				}
				wrap(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					assert.NoError(t, read(r))
				})).ServeHTTP(httptest.NewRecorder(), r)
				return fmt.Sprint(r.Form, r.PostForm, r.ParseMultipartForm(1))
			}
			assert.Equal(t, run(bare), run(wrapped))
		})
	}
}

// Whoever observes is called last.
func TestNothingElseChangesForALoggerOutsideWhereObservePanics(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Observe = func(*http.Request, consent.Event) { panic("observer") } })
	r := httptest.NewRequest("GET", "/", nil)
	recovering(through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.7"
		setBoth(w)
	}))).ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, "192.0.2.7", r.RemoteAddr)
}

func TestNothingElseChangesForALoggerOutside(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /a/{id}", func(http.ResponseWriter, *http.Request) {})
	for left, handler := range map[string]http.Handler{
		"POST /a/{id}": mux,
		"/new?a=b":     http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.URL = &url.URL{Path: "/new", RawQuery: "a=b"} }),
		"/rewritten":   http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.RequestURI = "/rewritten" }),
		"DELETE":       http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.Method = "DELETE" }),
		"site.example": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.Host = "site.example" }),
		"192.0.2.7":    http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.RemoteAddr = "192.0.2.7" }),
		"192.0.2.8":    http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.RemoteAddr = "192.0.2.8"; panic("broken") }),
	} {
		t.Run(left, func(t *testing.T) {
			run := func(h http.Handler) []string {
				r := httptest.NewRequest("POST", "/a/1", nil)
				recovering(h).ServeHTTP(httptest.NewRecorder(), r)
				return []string{r.Pattern, r.URL.String(), r.RequestURI, r.Method, r.Host, r.RemoteAddr}
			}
			given := run(handler)
			require.Contains(t, given, left, "bare")
			assert.Equal(t, given, run(wrapped(t, handler)))
		})
	}
}

// Others may read the request outside while a handler that changes nothing in it
// runs; -race tells.
func TestNothingElseChangesForAReaderOfTheRequestOutside(t *testing.T) {
	r := httptest.NewRequest("GET", "/a", nil)
	h := wrapped(t, set("sessionid=1"))
	var group sync.WaitGroup
	group.Go(func() {
		for range 1000 {
			_ = r.Method + r.URL.Path + r.RequestURI + r.Host + r.RemoteAddr + r.Pattern
		}
	})
	for range 100 {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	group.Wait()
}

// The law of a request is what it was when it came.
func TestNothingLeaksWhereAHandlerChangesWhatTheRegimeLooksAt(t *testing.T) {
	for name, test := range map[string]struct {
		regime       func(*http.Request) consent.Regime
		came, change func(*http.Request)
	}{
		"the signal": {
			everywhere(consent.OptOut),
			func(r *http.Request) { r.Header.Set("Sec-Gpc", "1") },
			func(r *http.Request) { r.Header.Del("Sec-Gpc") },
		},
		"the address": {
			func(r *http.Request) consent.Regime {
				if strings.HasPrefix(r.RemoteAddr, "192.0.2.") {
					return consent.OptOut
				}
				return consent.OptIn
			},
			func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1" },
			func(r *http.Request) { r.RemoteAddr = "192.0.2.9" }, // as a header says that anybody may send
		},
	} {
		t.Run(name, func(t *testing.T) {
			mw := middleware(t, func(c *consent.Config) { c.Regime = test.regime })
			ask := func(r *http.Request, inside func(*http.Request)) []string {
				w := httptest.NewRecorder()
				through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					inside(r)
					set("ad_id=1", "sessionid=1")(w, r)
				})).ServeHTTP(w, r)
				return names(w.Result())
			}
			r := httptest.NewRequest("GET", "/", nil)
			test.came(r)
			assert.Equal(t, []string{"sessionid"}, ask(r, test.change))
			test.change(r)
			assert.Equal(t, []string{"ad_id", "sessionid"}, ask(r, func(*http.Request) {}), "as it came")
		})
	}
}

func TestNothingLeaksWhereTheRegimePanics(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) {
		c.Regime = func(r *http.Request) consent.Regime {
			if r.URL.Path == "/" {
				panic("no country")
			}
			return consent.OptOut
		}
	})
	raw := rawGet(t, recovering(mw.Wrap(set("profile=1", "sessionid=1"))), plainGet)
	assert.Contains(t, raw, "500 Internal Server Error")
	assert.NotContains(t, raw, "Set-Cookie", "the handler runs under no law")
	raw = rawGet(t, through(t, mw, set("profile=1")), "GET /known HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	assert.Contains(t, raw, "Set-Cookie: profile=1")
}

// Preferences may be asked for while the request is read; -race tells.
func TestNothingElseChangesForAReaderOfTheRequestInside(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Regime = everywhere(consent.OptIn) })
	through(t, mw, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		var group sync.WaitGroup
		group.Go(func() { assert.False(t, consent.FromContext(ctx).Allows(consent.FirstParty)) })
		assert.NoError(t, r.ParseForm())
		group.Wait()
		assert.Equal(t, "b", r.Form.Get("a"))
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/?a=b", strings.NewReader("")))
}
