package consenttest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/consenttest"
)

// A recorder stands for the *testing.T of a site's test. It keeps the errors that are
// reported, each with the line that testing would name.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	helpers  map[string]bool
	reported []string
	places   []string
	fatal    bool
}

// record runs a site's test.
func record(test func(testing.TB)) *recorder {
	t := &recorder{helpers: make(map[string]bool)}
	var done sync.WaitGroup
	done.Go(func() { test(t) }) // in a goroutine of its own, which Fatalf ends
	done.Wait()
	return t
}

func (t *recorder) Helper() {
	t.mu.Lock()
	defer t.mu.Unlock()
	pc, _, _, _ := runtime.Caller(1)
	t.helpers[runtime.FuncForPC(pc).Name()] = true
}

func (t *recorder) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pcs := make([]uintptr, 50)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	frame, more := frames.Next()
	for more && (t.helpers[frame.Function] || strings.HasSuffix(frame.Function, ".(*recorder).Fatalf")) {
		frame, more = frames.Next()
	}
	t.places = append(t.places, fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line))
	t.reported = append(t.reported, fmt.Sprintf(format, args...))
}

func (t *recorder) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	t.fatal = true
	runtime.Goexit()
}

// here returns the file and number of the line after the call.
func here() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line+1)
}

func text(s string) consent.Text { return consent.Text{language.English: s} }

// declared returns the config of the tests' sites.
func declared() consent.Config {
	cookie := func(name string, category consent.Category, lifetime time.Duration, provider string) consent.Cookie {
		return consent.Cookie{Provider: provider, Name: name, Purpose: text("x"), Category: category, Lifetime: lifetime}
	}
	ad := cookie("ad", consent.ThirdParty, time.Hour, "AdCo")
	ad.Domain, ad.Path = ".example.com", "/ads"
	return consent.Config{Registry: consent.MustRegistry(
		ad,
		cookie("sessionid", consent.Necessary, 0, "Site"),
		cookie("_pk_id*", consent.Statistics, 24*time.Hour, "Matomo"),
		cookie("two", consent.Necessary, time.Hour, "Site"),
		cookie("two", consent.Necessary, 2*time.Hour, "Platform"),
	)}
}

// setting returns a site that sends these Set-Cookie lines with every response.
func setting(lines ...string) func(*consent.Middleware) http.Handler {
	return func(mw *consent.Middleware) http.Handler {
		return mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for _, line := range lines {
				w.Header().Add("Set-Cookie", line)
			}
		}))
	}
}

func get(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

func TestACookieThatIsNotAsDeclaredIsNamedWithWhatDiffers(t *testing.T) {
	for line, want := range map[string]string{
		"sessionid=1; Path=/":                       "",
		"sessionid=1; Path=/; Max-Age=120":          `a new visitor: cookie "sessionid" is kept for 2m0s, but declared until the browser is closed (Site)`,
		"two=1; Path=/; Max-Age=7200":               "",
		"two=1; Path=/; Max-Age=9000":               `a new visitor: cookie "two" is kept for 2h30m0s, but declared for 1h0m0s (Site), for 2h0m0s (Platform)`,
		"sessionid=1; Path=/shop":                   `a new visitor: cookie "sessionid" has the Path "/shop", but is declared with the Path "/" (Site)`,
		"sessionid=1":                               `a new visitor: cookie "sessionid" has no Path, but is declared with the Path "/" (Site)`,
		"promo=secret":                              `a new visitor: cookie "promo" is not declared`,
		"\x1b[31mpromo=1":                           "a new visitor: a Set-Cookie line cannot be read, or not by every browser",
		"pr\u202eomo=1":                             `a new visitor: cookie "pr\u202eomo" is not declared`,
		"nameless":                                  "a new visitor: a cookie without a name is not declared",
		"promo=; Max-Age=0":                         "", // a deletion
		"_pk_id.1=1; Path=/; Max-Age=86400":         "",
		"_pk_id.1=1; Path=/; Max-Age=90000":         `a visitor who has accepted all: cookie "_pk_id.1" is kept for 25h0m0s, but declared for 24h0m0s (Matomo)`,
		"ad=1; Domain=example.com; Path=/ads":       "",
		"ad=1; Path=/ads":                           `a visitor who has accepted all: cookie "ad" has no Domain, but is declared with the Domain ".example.com" (AdCo)`,
		"ad=1; Domain=www.example.com; Path=/ads":   `a visitor who has accepted all: cookie "ad" has the Domain "www.example.com", but is declared with the Domain ".example.com" (AdCo)`,
		"cookies_preferences=1; Max-Age=1; Path=/x": "", // the library's own
	} {
		got := record(func(t testing.TB) {
			consenttest.Run(t, declared(), setting(line), get("https://www.example.com/a/b?c=d"))
		})
		if want == "" {
			assert.Empty(t, got.reported, line)
		} else {
			assert.Equal(t, []string{"GET https://www.example.com/a/b?c=d by " + want}, got.reported, line)
		}
		assert.False(t, got.fatal)
	}
}

// guarded returns a site whose form carries a token, and which refuses others.
func guarded(mw *consent.Middleware) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "t1", Path: "/"})
		io.WriteString(w, "t1")
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("sessionid"); err != nil || c.Value != r.FormValue("token") {
			http.Error(w, "no token", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "promo"})
	})
	return mw.Wrap(mux)
}

func TestARequestThatTheSiteRefusesProvesNothing(t *testing.T) {
	status := http.StatusBadRequest
	answering := func(*consent.Middleware) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	for _, status = range []int{400, 404, 403, 500, 503, 599} {
		var at string
		got := record(func(t testing.TB) {
			at = here()
			consenttest.Run(t, declared(), answering, httptest.NewRequest("POST", "/basket?article=7", nil))
		})
		assert.Equal(t, []string{at}, got.places)
		assert.Equal(t, []string{fmt.Sprintf("POST /basket?article=7 by a new visitor: the site refuses it with the status %s, which proves nothing about its cookies: "+
			"if that is expected, or if a form carries a token, use New and Do", strings.TrimSpace(fmt.Sprint(status, " ", http.StatusText(status))))}, got.reported)
		assert.False(t, got.fatal)
	}
	for _, status = range []int{200, 204, 303, 304, 399} {
		got := record(func(t testing.TB) { consenttest.Run(t, declared(), answering, get("/")) })
		assert.Empty(t, got.reported, status)
	}
}

func TestWhatOnlySomeVisitorsAreRefusedIsNamedWithTheFirst(t *testing.T) {
	got := record(func(t testing.TB) {
		consenttest.Run(t, declared(), func(mw *consent.Middleware) http.Handler {
			return mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "promo"})
				if consent.FromContext(r.Context()).Decided() {
					w.WriteHeader(http.StatusTeapot)
				}
			}))
		}, get("/"))
	})
	require.Len(t, got.reported, 2)
	assert.Equal(t, `GET / by a new visitor: cookie "promo" is not declared`, got.reported[0])
	assert.Contains(t, got.reported[1], "GET / by a visitor who has refused all: the site refuses it with the status 418 I'm a teapot, ")
}

func TestADeclarationOfAnotherKindIsNotThatOfACookie(t *testing.T) {
	item := consent.Cookie{Kind: consent.LocalStorage, Provider: "AdCo", Name: "promo", Purpose: text("x"), Category: consent.ThirdParty}
	config := consent.Config{Registry: consent.MustRegistry(item)}
	assert.Empty(t, record(func(t testing.TB) { consenttest.Run(t, config, setting(), get("/")) }).reported, "nothing shows whether it is stored")
	assert.Equal(t, []string{`GET / by a new visitor: cookie "promo" is not declared as a cookie, but as localStorage (AdCo)`},
		record(func(t testing.TB) { consenttest.Run(t, config, setting("promo=1"), get("/")) }).reported)

	pattern := item
	pattern.Kind, pattern.Name = consent.IndexedDB, "pro*"
	config.Registry = consent.MustRegistry(pattern)
	assert.Equal(t, []string{`GET / by a new visitor: cookie "promo" is not declared as a cookie, but as indexedDB (AdCo)`},
		record(func(t testing.TB) { consenttest.Run(t, config, setting("promo=1"), get("/")) }).reported)

	cookie := item
	cookie.Kind, cookie.Lifetime = consent.HTTPCookie, time.Hour
	item.Category, item.Lifetime = consent.Necessary, 24*time.Hour
	config.Registry = consent.MustRegistry(item, cookie)
	assert.Equal(t, []string{`GET / by a visitor who has accepted all: cookie "promo" is kept for 24h0m0s, but declared for 1h0m0s (AdCo)`},
		record(func(t testing.TB) { consenttest.Run(t, config, setting("promo=1; Path=/; Max-Age=86400"), get("/")) }).reported)
}

func TestAReviewNamesWhatMayBeAMistake(t *testing.T) {
	cookie := func(name string, category consent.Category) consent.Cookie {
		return consent.Cookie{Provider: "Site", Name: name, Purpose: text("x"), Category: category}
	}
	of := func(kind consent.Kind, c consent.Cookie) consent.Cookie {
		c.Kind = kind
		return c
	}
	anonymous := cookie("visit*", consent.Statistics)
	anonymous.Anonymous = true
	for name, test := range map[string]struct {
		cookies []consent.Cookie
		want    []string
	}{
		"nothing":              {nil, nil},
		"a wide one":           {[]consent.Cookie{cookie("app_*", consent.ThirdParty), cookie("app_session", consent.Necessary)}, []string{`the pattern "app_*" (third-party, Site) also covers "app_session" (necessary, Site): is it too wide?`}},
		"an open one":          {[]consent.Cookie{cookie("app_ad", consent.ThirdParty), cookie("app_*", consent.Necessary)}, []string{`the pattern "app_*" (necessary, Site) also covers "app_ad" (third-party, Site): is it too wide?`}},
		"one that is narrower": {[]consent.Cookie{cookie("*", consent.ThirdParty), cookie("app_*_id", consent.Necessary)}, []string{`the pattern "*" (third-party, Site) also covers "app_*_id" (necessary, Site): is it too wide?`}},
		"anonymous statistics": {[]consent.Cookie{anonymous, cookie("visitor", consent.Statistics)}, []string{`the pattern "visit*" (statistics, Site) also covers "visitor" (statistics, Site): is it too wide?`}},
		"of a storage":         {[]consent.Cookie{of(consent.IndexedDB, cookie("app_*", consent.ThirdParty)), of(consent.IndexedDB, cookie("app_db", consent.Necessary))}, []string{`the pattern "app_*" (indexedDB, third-party, Site) also covers "app_db" (indexedDB, necessary, Site): is it too wide?`}},

		"another kind":      {[]consent.Cookie{of(consent.LocalStorage, cookie("app_*", consent.ThirdParty)), cookie("app_session", consent.Necessary)}, nil},
		"only words":        {[]consent.Cookie{of(consent.Other, cookie("all *", consent.ThirdParty)), of(consent.Other, cookie("all fonts", consent.Necessary))}, nil},
		"the same need":     {[]consent.Cookie{cookie("app_*", consent.ThirdParty), cookie("app_ad", consent.FirstParty)}, nil},
		"one name of two":   {[]consent.Cookie{cookie("app", consent.ThirdParty), {Provider: "Other", Name: "app", Purpose: text("x"), Category: consent.Necessary}}, nil},
		"neighbours":        {[]consent.Cookie{cookie("app_*", consent.ThirdParty), cookie("app", consent.Necessary), cookie("App_1", consent.Necessary), cookie("*app_", consent.Necessary)}, nil},
		"too short for it":  {[]consent.Cookie{cookie("ab*bc", consent.ThirdParty), cookie("abc", consent.Necessary)}, nil},
		"a narrower prefix": {[]consent.Cookie{cookie("app_ad*", consent.ThirdParty), cookie("app_*", consent.Necessary)}, []string{`the pattern "app_*" (necessary, Site) also covers "app_ad*" (third-party, Site): is it too wide?`}},
	} {
		registry := consent.MustRegistry(test.cookies...)
		if len(test.cookies) > 0 {
			var err error
			registry, err = registry.WithProviders(consent.Provider{Name: "Site", LegalName: "Site Ltd"})
			require.NoError(t, err)
		}
		var want []string
		for _, line := range test.want {
			want = append(want, "consenttest: "+line)
		}
		assert.Equal(t, want, record(func(t testing.TB) { consenttest.Review(t, registry) }).reported, name)
	}
}

func TestAReviewNamesWhomVisitorsCannotKnow(t *testing.T) {
	cookie := func(name, provider string, category consent.Category) consent.Cookie {
		return consent.Cookie{Provider: provider, Name: name, Purpose: text("x"), Category: category}
	}
	declared := consent.MustRegistry(
		cookie("a", "Policy", consent.ThirdParty), cookie("b", "Legal", consent.ThirdParty), cookie("c", "Country", consent.ThirdParty), cookie("d", "Country", consent.Statistics),
		cookie("e", "Silent", consent.ThirdParty), cookie("f", "Site", consent.Necessary),
	)
	says := func(name string) string {
		return fmt.Sprintf("consenttest: visitors who are asked for their consent to %q read neither its legal name nor its privacy policy: see Registry.WithProviders", name)
	}
	registry, err := declared.WithProviders(consent.Provider{Name: "Policy", Policy: "https://policy.example/"}, consent.Provider{Name: "Legal", LegalName: "Legal Ltd"}, consent.Provider{Name: "Country", Country: "IE"})
	require.NoError(t, err)
	var at string
	got := record(func(t testing.TB) {
		at = here()
		consenttest.Review(t, registry)
	})
	assert.Equal(t, []string{says("Country"), says("Silent")}, got.reported)
	assert.Equal(t, []string{at, at}, got.places)
	assert.Len(t, record(func(t testing.TB) { consenttest.Review(t, declared) }).reported, 4)
}

func TestAFormWithATokenIsPostedByDo(t *testing.T) {
	got := record(func(t testing.TB) {
		visitor := consenttest.New(t, declared(), guarded).Undecided()
		post := func(token string) *http.Response {
			return visitor.Do(httptest.NewRequest("POST", "/?token="+token, nil))
		}
		if status := post("").StatusCode; status != http.StatusForbidden { // as expected
			t.Errorf("the status is %d", status)
		}
		token, _ := io.ReadAll(visitor.Do(get("/")).Body)
		if status := post(string(token)).StatusCode; status != http.StatusOK {
			t.Errorf("the status is %d", status)
		}
	})
	assert.Equal(t, []string{`POST /?token=t1 by a new visitor: cookie "promo" is not declared`}, got.reported)
}

func TestATrailerIsNoPlaceForACookie(t *testing.T) {
	got := record(func(t testing.TB) {
		consenttest.Run(t, declared(), func(*consent.Middleware) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "body")
				w.Header().Set(http.TrailerPrefix+"Set-Cookie", "sessionid=1")
			})
		}, get("/"))
	})
	assert.Equal(t, []string{`GET / by a new visitor: cookie "sessionid" is set in a trailer, where no browser looks for it`}, got.reported)
}

func TestAFailureIsReportedAtTheLineOfTheSitesTest(t *testing.T) {
	var run, do, broken, unknown, unread, elsewhere string
	got := record(func(t testing.TB) {
		run = here()
		consenttest.Run(t, declared(), setting("promo=1"), get("/"))
		visitor := consenttest.New(t, declared(), setting("promo=1")).Undecided()
		do = here()
		visitor.Do(get("/"))
	})
	assert.Equal(t, []string{run, do}, got.places)

	got = record(func(t testing.TB) {
		broken = here()
		consenttest.New(t, consent.Config{}, setting())
	})
	assert.Equal(t, []string{broken}, got.places)

	got = record(func(t testing.TB) {
		site := consenttest.New(t, declared(), setting())
		unknown = here()
		site.Decided(consent.Accept("weather"))
	})
	assert.Equal(t, []string{unknown}, got.places)

	got = record(func(t testing.TB) {
		visitor := consenttest.New(t, declared(), setting()).Undecided()
		unread = here()
		visitor.Do(httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("torn"))))
	})
	assert.Equal(t, []string{unread}, got.places)
	assert.Equal(t, []string{"consenttest: reading the body of POST /: torn"}, got.reported)

	config := declared()
	config.Domain = "example.org"
	got = record(func(t testing.TB) {
		visitor := consenttest.New(t, config, setting()).Decided(consent.AcceptAll())
		elsewhere = here()
		visitor.Do(get("/"))
	})
	assert.Equal(t, []string{elsewhere}, got.places)
}

func TestAMistakeEndsTheTestAndIsNamed(t *testing.T) {
	config := declared()
	config.Domain = "example.org"
	for want, test := range map[string]func(testing.TB){
		"consenttest: no request to send, and so nothing to check": func(t testing.TB) {
			consenttest.Run(t, declared(), setting())
		},
		"consenttest: consent: Config.Registry: is nil": func(t testing.TB) {
			consenttest.Run(t, consent.Config{}, setting(), get("/"))
		},
		`consenttest: consent: choice: no cookie is declared in the category "weather"`: func(t testing.TB) {
			consenttest.New(t, declared(), setting()).Decided(consent.Accept("weather"))
		},
		`consenttest: Config.Domain is "example.org", so a request to "example.com" brings no decision`: func(t testing.TB) {
			consenttest.Run(t, config, setting(), get("/"))
		},
	} {
		got := record(func(t testing.TB) {
			test(t)
			t.Errorf("it goes on")
		})
		assert.True(t, got.fatal)
		assert.Equal(t, []string{want}, got.reported)
	}
}

func TestEachVisitorBringsTheirAnswerWhereverTheDomainReaches(t *testing.T) {
	allowed := make(map[string][]bool)
	build := func(mw *consent.Middleware) http.Handler {
		return mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			prefs := consent.FromContext(r.Context())
			allowed[r.Host] = append(allowed[r.Host], prefs.Decided(), prefs.Allows(consent.Statistics))
		}))
	}
	want := []bool{false, false, true, false, true, true}

	consenttest.Run(t, declared(), build, get("https://a.example.com/"), get("http://b.example.com/shop/"))
	assert.Equal(t, map[string][]bool{"a.example.com": want, "b.example.com": want}, allowed)

	clear(allowed)
	config := declared()
	config.Domain = "example.com"
	consenttest.Run(t, config, build, get("https://a.example.com/"), get("https://example.com/"))
	assert.Equal(t, map[string][]bool{"a.example.com": want, "example.com": want}, allowed)
}

func TestAVisitorBringsTheirAnswerUnderItsNameAndPath(t *testing.T) {
	var decided []bool
	config := declared()
	config.CookieName, config.CookiePath = "shop_preferences", "/shop"
	consenttest.Run(t, config, func(mw *consent.Middleware) http.Handler {
		return mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			decided = append(decided, consent.FromContext(r.Context()).Decided())
		}))
	}, get("/"), get("/shop/basket"))
	assert.Equal(t, []bool{false, false, false, true, false, true}, decided, "a new visitor, one who refused, one who accepted")
}

// gorilla/csrf sets its cookie for the folder of the page that is asked for first.
func TestACookieInSeveralPlacesIsAsDeclaredInAnyOrder(t *testing.T) {
	config := declared()
	build := func(mw *consent.Middleware) http.Handler {
		return mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Cookie("csrf"); err != nil {
				w.Header().Add("Set-Cookie", "csrf=1") // without a Path
			}
		}))
	}
	csrf := consent.Cookie{Provider: "Site", Name: "csrf", Purpose: text("x"), Category: consent.Necessary}
	for _, paths := range [][]string{{"/", "/me/a", "/you/b"}, {"/me/a", "/you/b", "/"}} {
		var requests []*http.Request
		for _, path := range paths {
			requests = append(requests, get(path))
		}
		csrf.Also = []consent.Place{{Path: "/me"}, {Path: "/you"}}
		config.Registry = consent.MustRegistry(csrf)
		consenttest.Run(t, config, build, requests...)

		csrf.Also = csrf.Also[:1]
		config.Registry = consent.MustRegistry(csrf)
		got := record(func(t testing.TB) { consenttest.Run(t, config, build, get("/you/b")) })
		assert.Equal(t, []string{`GET /you/b by a new visitor: cookie "csrf" has no Path, but is declared with the Path "/" or the Path "/me" (Site)`}, got.reported)
	}
}

func TestAVisitorKeepsTheCookiesThatTheyAreGiven(t *testing.T) {
	site := consenttest.New(t, declared(), func(mw *consent.Middleware) http.Handler {
		return mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := r.Cookie("sessionid")
			if err != nil {
				c = &http.Cookie{Name: "sessionid", Path: "/", Secure: true}
			}
			c.Value, c.Path = c.Value+"i", "/"
			http.SetCookie(w, c)
			io.WriteString(w, c.Value)
		}))
	})
	said := func(r *http.Response) string {
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return string(b)
	}
	visitor, other := site.Undecided(), site.Decided(consent.AcceptAll())
	assert.Equal(t, "i", said(visitor.Do(get("/"))))
	assert.Equal(t, "ii", said(visitor.Do(get("/"))))
	assert.Equal(t, "i", said(other.Do(get("/"))), "and nobody else's")
	assert.Equal(t, "iii", said(visitor.Do(get("/"))))
}

func TestAVisitorWhoDecidesAtTheSiteHasDecided(t *testing.T) {
	config := declared()
	config.Domain = "example.com"
	site := consenttest.New(t, config, func(mw *consent.Middleware) http.Handler {
		pages, err := charter.New(charter.Config{Middleware: mw})
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("/cookies/", pages.Handler())
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, consent.FromContext(r.Context()).Allows(consent.Statistics))
		})
		return mw.Wrap(mux)
	})
	for _, visitor := range []*consenttest.Visitor{site.Undecided(), site.Decided(consent.RefuseAll())} {
		form := httptest.NewRequest("POST", "/cookies/", strings.NewReader("choice=accept"))
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, http.StatusSeeOther, visitor.Do(form).StatusCode)
		for _, target := range []string{"/", "https://www.example.com/"} {
			body, err := io.ReadAll(visitor.Do(get(target)).Body)
			require.NoError(t, err)
			assert.Equal(t, "true", string(body), target)
		}
	}
}

func TestARequestIsSentToEachVisitorWithItsBodyAndUnchanged(t *testing.T) {
	var bodies, headers []string
	form := httptest.NewRequest("POST", "/", strings.NewReader("article=7"))
	form.Header.Set("Cookie", "mine=1")
	bare, err := http.NewRequest("GET", "https://example.com/", nil) // without a body at all
	require.NoError(t, err)
	build := func(*consent.Middleware) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				return
			}
			b, _ := io.ReadAll(r.Body)
			before, after, _ := strings.Cut(r.Header.Get("Cookie"), ";")
			bodies, headers = append(bodies, string(b)), append(headers, before)
			assert.Equal(t, len(bodies) > 1, strings.Contains(after, consent.CookieName))
		})
	}
	consenttest.Run(t, declared(), build, form, bare)
	assert.Equal(t, []string{"article=7", "article=7", "article=7"}, bodies)
	assert.Equal(t, []string{"mine=1", "mine=1", "mine=1"}, headers)
	assert.Equal(t, "mine=1", form.Header.Get("Cookie"))
}

func TestASiteNeedsNotBeWrappedAndAFindingIsReportedOnce(t *testing.T) {
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"sessionid=1; Path=/x", "promo=1", "promo=2", "beta=1"}
	})
	for name, build := range map[string]func(*consent.Middleware) http.Handler{
		"bare":    func(*consent.Middleware) http.Handler { return bare },
		"wrapped": func(mw *consent.Middleware) http.Handler { return mw.Wrap(bare) },
		"twice":   func(mw *consent.Middleware) http.Handler { return mw.Wrap(mw.Wrap(bare)) },
	} {
		got := record(func(t testing.TB) {
			consenttest.Run(t, declared(), build, get("/x/1"), get("/x/2"), get("/x/1"))
		})
		assert.Equal(t, []string{
			`GET /x/1 by a new visitor: cookie "sessionid" has the Path "/x", but is declared with the Path "/" (Site)`,
			`GET /x/1 by a new visitor: cookie "promo" is not declared`,
			`GET /x/1 by a new visitor: cookie "beta" is not declared`,
			`GET /x/2 by a new visitor: cookie "sessionid" has the Path "/x", but is declared with the Path "/" (Site)`,
			`GET /x/2 by a new visitor: cookie "promo" is not declared`,
			`GET /x/2 by a new visitor: cookie "beta" is not declared`,
		}, got.reported, name)
	}
}

func TestTheSitesConfigHolds(t *testing.T) {
	var observed []string
	config := declared()
	config.AllowUndeclared = true
	config.Keys = [][]byte{bytes.Repeat([]byte("k"), 32)}
	config.Observe = func(_ *http.Request, e consent.Event) { observed = append(observed, e.Cookie) }
	got := record(func(t testing.TB) {
		site := consenttest.New(t, config, setting("promo=1"))
		names := site.Undecided().Do(get("/")).Cookies()
		if len(names) != 1 {
			t.Errorf("AllowUndeclared is lost")
		}
		// The decision is signed with the site's key.
		decided := site.Decided(consent.AcceptAll())
		mw, err := consent.NewMiddleware(config)
		if err != nil {
			t.Errorf("%v", err)
		}
		foreign := consenttest.New(t, config, func(*consent.Middleware) http.Handler {
			return mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if !consent.FromContext(r.Context()).Decided() {
					t.Errorf("the key is lost")
				}
			}))
		}).Decided(consent.AcceptAll())
		decided.Do(get("/"))
		foreign.Do(get("/"))
	})
	assert.Equal(t, []string{`GET / by a new visitor: cookie "promo" is not declared`}, got.reported, "also with AllowUndeclared")
	assert.Equal(t, []string{"promo", "promo"}, observed[:2])
}

func TestVisitorsSendRequestsSideBySide(t *testing.T) {
	const visitors = 8
	var arrived sync.WaitGroup
	arrived.Add(visitors)
	got := record(func(t testing.TB) {
		site := consenttest.New(t, declared(), func(*consent.Middleware) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: r.FormValue("name"), Value: "1"})
				arrived.Done()
				arrived.Wait() // so that all are observed at once
			})
		})
		var sent sync.WaitGroup
		for i := range visitors {
			sent.Go(func() { site.Undecided().Do(get(fmt.Sprintf("/?name=n%d", i))) })
		}
		sent.Wait()
	})
	assert.Len(t, got.reported, visitors)
	for i := range visitors {
		assert.Contains(t, got.reported, fmt.Sprintf(`GET /?name=n%d by a new visitor: cookie "n%d" is not declared`, i, i))
	}
}
