package charter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

const (
	asked  = "You are signed in: whether you accept or reject, your choice applies to your account, on every device on which you sign in."
	told   = "You are signed in, so the choice of your account now applies on this device, until you sign out."
	differ = "It differs from the choice made on this device before. What either of them rejects stays rejected here until you allow it."
)

// Accounts in memory, which are the recorder too.
type accounts struct {
	mu      sync.Mutex
	records []consent.Record
	links   map[string][]consent.Record
	asked   int
	fails   error // of Latest and Link
	hangs   bool  // until the context ends
}

func (a *accounts) Record(_ context.Context, record consent.Record) error {
	a.RecordLater(record)
	return nil
}

func (a *accounts) RecordLater(record consent.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records = append(a.records, record)
}

func (a *accounts) answer(ctx context.Context) error {
	if a.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return a.fails
}

func (a *accounts) Latest(ctx context.Context, user string) (latest consent.Record, err error) {
	a.asked++
	if err := a.answer(ctx); err != nil {
		return latest, err
	}
	if len(a.links[user]) == 0 {
		return latest, fmt.Errorf("wrapped: %w", consent.ErrNoRecord)
	}
	return slices.MaxFunc(a.links[user], func(a, b consent.Record) int { return a.Time.Compare(b.Time) }), nil
}

func (a *accounts) Link(ctx context.Context, reference consent.Reference, decided time.Time, user string) error {
	if err := a.answer(ctx); err != nil {
		return err
	}
	i := slices.IndexFunc(a.records, func(r consent.Record) bool { return r.Reference == reference && r.Time.Equal(decided) })
	if i < 0 {
		return errors.New("nobody has recorded that")
	}
	a.links[user] = append(a.links[user], a.records[i])
	return nil
}

// A portal is a site with accounts; the field User of a request says who is signed in.
type portal struct {
	*testing.T
	*accounts
	charter  *charter.Charter
	mw       *consent.Middleware
	handler  http.Handler
	failures []error
}

func newPortal(t *testing.T, change func(*charter.Config)) *portal {
	t.Helper()
	p := &portal{T: t, accounts: &accounts{links: map[string][]consent.Record{}}}
	var err error
	p.mw, err = consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(declared()...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Recorder: p.accounts, Failed: func(*http.Request, error) {},
	})
	require.NoError(t, err)
	config := charter.Config{
		Middleware: p.mw, Accounts: p.accounts,
		Account:    func(r *http.Request) string { return r.Header.Get("User") },
		Categories: map[consent.Category]charter.Category{"chat": {Title: text("Conversation"), About: text("To talk with us.")}},
		Failed:     func(_ *http.Request, err error) { p.failures = append(p.failures, err) },
	}
	if change != nil {
		change(&config)
	}
	p.charter, err = charter.New(config)
	require.NoError(t, err)
	app := http.NewServeMux()
	app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Write([]byte(p.charter.Head(r) + p.charter.Banner(r) + p.charter.Placeholder(r, "chat", "Chat", "<p>x</p>")))
	})
	app.HandleFunc("GET /late", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.Write([]byte(p.charter.Banner(r)))
	})
	app.HandleFunc("GET /plain", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Write([]byte("plain"))
	})
	app.HandleFunc("POST /own", func(w http.ResponseWriter, r *http.Request) { // a site that asks by itself
		assert.NoError(t, p.mw.Save(w, r, consent.Accept(consent.ThirdParty)))
		w.Write([]byte("saved"))
	})
	p.handler = p.mw.Wrap(p.charter.Wrap(app))
	return p
}

// A browser keeps cookies as browsers do.
type browser struct {
	*portal
	user    string
	cookies map[string]string
}

func (p *portal) browser() *browser { return &browser{p, "", map[string]string{}} }

func (b *browser) do(method, path, body string, change ...func(*http.Request)) *http.Response {
	b.Helper()
	r := httptest.NewRequest(method, "https://example.org"+path, strings.NewReader(body))
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("User", b.user)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w.Result()
}

func (b *browser) get(path string) string {
	b.Helper()
	response := b.do("GET", path, "")
	require.Equal(b, http.StatusOK, response.StatusCode)
	return body(response)
}

// answers posts the form of a page as it was drawn, with that choice.
func (b *browser) answers(drawn, choice string, allow ...string) {
	b.Helper()
	form := url.Values{"choice": {choice}, "by": {"banner"}, "account": found(drawn, `name="account" value="([^"]*)"`), "allow": allow}
	if len(form["account"]) > 1 {
		form["account"] = form["account"][:1]
	}
	time.Sleep(time.Second)
	response := b.do("POST", "/cookies/", form.Encode())
	require.Equal(b, http.StatusSeeOther, response.StatusCode, body(response))
}

// decides draws a form and answers it.
func (b *browser) decides(choice string, allow ...string) {
	b.Helper()
	b.answers(b.get("/cookies/"), choice, allow...)
}

// goesBy makes a browser's user another, "" for a sign-out, and loads a page.
func (b *browser) goesBy(user string) (page string) {
	b.Helper()
	b.user = user
	return b.get("/")
}

// A decision of a browser, as programs read it.
type stateOf struct {
	Decided   bool
	At        *time.Time
	Allowed   map[string][]string
	Objection bool
	Reference string
	Account   *struct{ Of, Says, Notice string }
}

func (b *browser) state() (s stateOf) {
	b.Helper()
	require.NoError(b, json.Unmarshal([]byte(b.get("/cookies/state.json")), &s))
	return s
}

// allows lists what the browser allows, "-" if it has not decided.
func (b *browser) allows() string {
	b.Helper()
	s := b.state()
	if s.At == nil {
		return "-"
	}
	return strings.Join(slices.Sorted(slices.Values(slices.Concat(s.Allowed["statistics"], s.Allowed["third-party"], s.Allowed["chat"]))), " ")
}

const everybody = `<b>"Ad" & Co</b> Chat Matomo Plausible`

func TestNothingIsForgottenOnTheOtherDevicesOfAUser(t *testing.T) {
	for choice, want := range map[string]string{"accept": everybody, "refuse": ""} {
		synctest.Test(t, func(t *testing.T) {
			p := newPortal(t, nil)
			laptop, phone, tablet := p.browser(), p.browser(), p.browser()
			phone.goesBy("ada")
			laptop.goesBy("ada")
			laptop.decides(choice)
			assert.Equal(t, want, laptop.allows())
			tablet.goesBy("ada")
			assert.Equal(t, want, tablet.allows(), "at the sign-in")
			assert.Equal(t, "-", phone.allows(), "the page was asked for just now")
			time.Sleep(time.Minute)
			assert.Equal(t, want, phone.allows(), "a refusal reaches as far as a consent")
			bob := p.browser()
			bob.goesBy("bob")
			assert.Equal(t, "-", bob.allows())

			references := map[string]bool{}
			for _, b := range []*browser{laptop, phone, tablet} {
				references[b.state().Reference] = true
			}
			assert.Len(t, references, 3, "a reference is never handed on")
			assert.Equal(t, consent.ByAccount, p.records[len(p.records)-1].Evidence.Action)

			other := map[string]string{"accept": "refuse", "refuse": "accept"}[choice]
			phone.decides(other)
			time.Sleep(time.Second)
			assert.Equal(t, want, laptop.allows(), "which was asked a moment ago")
			time.Sleep(5 * time.Minute)
			for _, b := range []*browser{laptop, tablet} {
				assert.Equal(t, phone.allows(), b.allows(), "the newer choice counts, whichever it is")
			}
			assert.Empty(t, p.failures)
		})
	}
}

func TestTheQuestionSaysBeforeTheChoiceThatItHoldsForTheAccountAndOnlyToWhoIsSignedIn(t *testing.T) {
	p := newPortal(t, nil)
	anonymous, ada := p.browser(), p.browser()
	ada.user = "ada"
	for what, path := range map[string]string{
		"banner and placeholder": "/", "page": "/cookies/", "script": "/cookies/script.js", "state": "/cookies/state.json",
		"banner of the script": "/cookies/banner.js?show=", "settings": "/cookies/banner.js?show=settings", "placeholders": "/cookies/banner.js?show=placeholders&for=" + url.QueryEscape("category=chat&provider=Chat"),
	} {
		said := ada.get(path)
		assert.Contains(t, said, asked, what)
		assert.NotRegexp(t, `You are signed in:|"?account\\?":|name=\\?"account`, anonymous.get(path), what)
		assert.Contains(t, said, ada.state().Account.Of, what)
	}
	drawn := ada.get("/")
	before, _, _ := strings.Cut(drawn, `value="refuse"`)
	assert.Contains(t, before, asked, "before the buttons")
	_, placeholder, _ := strings.Cut(drawn, `class="charter-placeholder"`)
	assert.Contains(t, placeholder, asked)
	assert.NotContains(t, drawn, "ada", "without telling who it is")
	assert.NotContains(t, fmt.Sprint(ada.cookies), "ada")
}

func TestTheChoicesOfAnAccountAreToldOnceAfterTheSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		laptop := p.browser()
		laptop.goesBy("ada")
		laptop.decides("accept")
		assert.Contains(t, laptop.get("/"), "Your choice is saved.")
		another := p.browser()
		time.Sleep(time.Second)
		another.goesBy("ada")
		assert.NotContains(t, another.get("/"), "Your choice is saved.", "nothing was saved here")
		time.Sleep(time.Minute)
		assert.NotContains(t, laptop.get("/"), told, "who has just been asked knows")

		phone := p.browser()
		phone.user = "ada"
		prefetch := func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch;prerender") }
		assert.Contains(t, body(phone.do("GET", "/", "", prefetch)), told)
		phone.do("HEAD", "/", "")
		assert.Equal(t, told, phone.state().Account.Notice)
		page := phone.get("/")
		assert.Contains(t, page, `role="status">`+told+` <a href="/cookies/#settings" data-charter-open>`)
		assert.Contains(t, page, "<style>", "which has its style")
		assert.NotContains(t, page, differ)
		assert.NotContains(t, phone.get("/"), told)
		assert.Empty(t, phone.state().Account.Notice)
		phone.goesBy("")
		assert.NotContains(t, phone.goesBy("ada"), told, "which is not the first sign-in here")
		assert.Contains(t, phone.goesBy("bob"), "charter-banner")

		tablet := p.browser() // on pages that are the same for everybody
		tablet.user = "ada"
		tablet.get("/plain")
		assert.Contains(t, tablet.get("/cookies/script.js"), told)
		assert.NotContains(t, tablet.get("/cookies/script.js"), told)

		late := p.browser()
		late.user = "ada"
		assert.Contains(t, late.get("/late"), told)
		assert.Contains(t, late.get("/"), told, "a page that asks too late cannot say that it has told")
		assert.NotContains(t, late.get("/"), told)

		unseen := p.browser()
		unseen.user = "ada"
		unseen.get("/plain")
		unseen.user = ""
		unseen.get("/plain")
		assert.Contains(t, unseen.goesBy("ada"), told, "who has signed out before a page could tell")
		assert.Empty(t, p.failures)
	})
}

func TestNothingRemainsOfAnAccountAfterTheSignOut(t *testing.T) {
	for _, before := range []string{"", "accept", "refuse", "save"} {
		for _, account := range []string{"", "accept", "refuse", "save"} {
			for _, there := range []string{"", "accept", "refuse", "save", "add"} {
				t.Run(before+", "+account+", "+there, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := newPortal(t, nil)
						if account != "" {
							laptop := p.browser()
							laptop.goesBy("ada")
							laptop.decides(account, "chat:Chat")
						}
						shared := p.browser()
						if before != "" {
							shared.decides(before, "statistics:Matomo")
						}
						was, cookie := shared.state(), shared.cookies[consent.CookieName]
						shared.goesBy("ada")
						if there != "" {
							shared.decides(there, "statistics:Plausible")
						}
						time.Sleep(time.Hour)
						shared.get("/")
						shared.user = ""
						shared.cookies["_pk_id.1"] = "x" // by the consent of whoever was there
						response := shared.do("GET", "/", "")
						assert.Equal(t, was, shared.state())
						assert.Equal(t, cookie == "", shared.cookies[consent.CookieName] == "")
						_, kept := shared.cookies["_pk_id.1"]
						assert.Equal(t, before == "accept" || before == "save", kept, "what the account alone had allowed is expired")
						assert.Equal(t, "private", response.Header.Get("Cache-Control")[:7])
						assert.Equal(t, "plain", shared.get("/plain"))
						assert.Empty(t, shared.do("GET", "/plain", "").Cookies(), "and that was all")
						assert.Empty(t, p.failures)
					})
				})
			}
		}
	}
}

func TestABrowserThatDiffersIsToldTheRule(t *testing.T) {
	for name, test := range map[string]struct {
		account, here string
		accountFirst  bool
		want          string
		tells         bool
	}{
		"the account has refused before":             {"refuse", "accept", true, "", true},
		"the account has refused since":              {"refuse", "accept", false, "", true},
		"the account has accepted before":            {"accept", "refuse", true, "", true},
		"the account has accepted since":             {"accept", "refuse", false, "", true},
		"both have accepted":                         {"accept", "accept", true, everybody, false},
		"both have refused":                          {"refuse", "refuse", false, "", false},
		"the account alone has answered, a no":       {"refuse", "", true, "", false},
		"the account alone has answered, a yes":      {"accept", "", true, everybody, false},
		"the browser alone, and its answer stays":    {"", "accept", true, everybody, false},
		"the browser alone has refused":              {"", "refuse", true, "", false},
		"nobody has answered":                        {"", "", true, "-", false},
		"the account allows one, the browser two":    {"save statistics:Matomo", "save statistics:Matomo chat:Chat", true, "Matomo", true},
		"the account adds one, and the browser none": {"add chat:Chat", "refuse", false, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPortal(t, nil)
				laptop, phone := p.browser(), p.browser()
				elsewhere := func() {
					if laptop.goesBy("ada"); test.account != "" {
						words := strings.Fields(test.account)
						laptop.decides(words[0], words[1:]...)
					}
				}
				if test.accountFirst {
					elsewhere()
				}
				if test.here != "" {
					words := strings.Fields(test.here)
					phone.decides(words[0], words[1:]...)
				}
				if !test.accountFirst {
					elsewhere()
				}
				time.Sleep(time.Minute)
				page := phone.goesBy("ada")
				assert.Equal(t, test.want, phone.allows())
				assert.Equal(t, test.account != "", strings.Contains(page, told))
				assert.Equal(t, test.tells, strings.Contains(page, differ))
				phone.goesBy("")
				page = phone.goesBy("ada")
				assert.NotContains(t, page, told, "once")
				assert.Equal(t, test.want, phone.allows())

				// Until the visitor says what counts for them here.
				phone.decides("accept")
				assert.Equal(t, everybody, phone.allows())
				phone.goesBy("")
				phone.goesBy("ada")
				assert.Equal(t, everybody, phone.allows(), "also at the next sign-in")
				assert.Empty(t, p.failures)
			})
		})
	}
}

func TestAChoiceThatDidNotSaySoIsOfTheBrowserAlone(t *testing.T) {
	for _, post := range []func(b *browser, drawn string){
		func(b *browser, drawn string) { b.answers(drawn, "accept") },
		func(b *browser, _ string) { b.do("POST", "/cookies/state.json", `{"choice": "accept"}`) },
		func(b *browser, _ string) {
			b.do("POST", "/cookies/state.json", `{"choice": "accept", "account": "0123456789abcdef"}`)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPortal(t, nil)
			tab := p.browser()
			drawn := tab.get("/")
			tab.goesBy("ada") // in another tab
			post(tab, drawn)
			assert.Empty(t, p.links, "nobody was told that it would be the account's")
			assert.Equal(t, everybody, tab.allows(), "it stands in this browser")
			tab.goesBy("")
			assert.Equal(t, everybody, tab.allows())

			old := tab.goesBy("ada")
			old = tab.get("/cookies/") + old
			tab.goesBy("bob")
			tab.answers(old, "refuse")
			assert.Empty(t, p.links, "nor becomes one person's choice another's")
			tab.goesBy("")
			assert.Empty(t, tab.allows())

			other := p.browser()
			other.user = "ada"
			of := other.state().Account.Of
			response := other.do("POST", "/cookies/state.json", `{"choice": "refuse", "account": "`+of+`"}`)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Len(t, p.links["ada"], 1, "a program that has told the visitor says so")
			assert.Empty(t, p.failures)
		})
	}
}

func TestAddingOneProviderGivesTheAccountNoAnswerOfTheBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for here, answered := range map[string]int{"accept": 1, "refuse": 1, "": 1} {
			p := newPortal(t, nil)
			phone := p.browser()
			if here != "" {
				phone.decides(here)
			}
			phone.goesBy("ada")
			phone.decides("add", "chat:Chat")
			require.Len(t, p.links["ada"], 1, here)
			assert.Len(t, p.links["ada"][0].Answers, answered, here)
		}
		p := newPortal(t, nil)
		laptop, phone := p.browser(), p.browser()
		laptop.goesBy("ada")
		laptop.decides("save", "statistics:Matomo", "statistics:Plausible")
		phone.decides("save", "statistics:Matomo")
		phone.goesBy("ada")
		assert.Equal(t, "Matomo", phone.allows())
		phone.decides("add", "chat:Chat")
		last := p.links["ada"][1]
		assert.Equal(t, []consent.Answer{
			{Category: "chat", Provider: "Chat", Allowed: true}, {Category: "statistics", Provider: "Matomo", Allowed: true},
			{Category: "third-party", Provider: `<b>"Ad" & Co</b>`},
		}, last.Answers, "what the browser had refused by itself is no answer of the account")
	})
}

func TestAChoiceThatASiteSavesByItselfIsTheAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		phone := p.browser()
		phone.goesBy("ada")
		phone.do("POST", "/own", "")
		require.Len(t, p.links["ada"], 1)
		time.Sleep(time.Minute)
		phone.get("/")
		time.Sleep(time.Minute)
		phone.get("/")
		assert.Len(t, p.links["ada"], 2, "whether it was linked is not known before the head has left")
		assert.Equal(t, p.links["ada"][0], p.links["ada"][1])
		laptop := p.browser()
		laptop.goesBy("ada")
		assert.Equal(t, phone.allows(), laptop.allows())
		phone.goesBy("")
		assert.Equal(t, "-", phone.allows())
		phone.do("POST", "/own", "")
		assert.Len(t, p.links["ada"], 2, "only while they are signed in")
		assert.Empty(t, p.failures)
	})
}

// A copying is accounts that know of the copies of a decision.
type copying struct {
	*accounts
	told  []consent.Record // the reference and time of each
	fails error
}

func (c *copying) Restored(_ context.Context, reference consent.Reference, decided time.Time, user string) error {
	if user != "ada" {
		return errors.New("nobody has a copy of another's decision")
	}
	c.told = append(c.told, consent.Record{Reference: reference, Time: decided})
	return c.fails
}

func TestAnAccountKnowsOfEachCopyOfItsDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *copying
		p := newPortal(t, func(c *charter.Config) {
			kept = &copying{accounts: c.Accounts.(*accounts)}
			c.Accounts = kept
		})
		laptop, phone := p.browser(), p.browser()
		phone.goesBy("ada")
		laptop.goesBy("ada")
		laptop.decides("accept")
		assert.Empty(t, kept.told, "who decides here has no copy")
		last := func() consent.Record { return p.records[len(p.records)-1] }
		for i, choice := range []string{"refuse", "accept"} {
			time.Sleep(10 * time.Minute)
			phone.get("/")
			phone.get("/")
			require.Len(t, kept.told, i+1)
			assert.Equal(t, consent.ByAccount, last().Evidence.Action)
			assert.Equal(t, last().Reference, kept.told[i].Reference)
			assert.True(t, last().Time.Equal(kept.told[i].Time))
			laptop.decides(choice)
		}
		assert.Empty(t, p.failures)
		kept.fails = errors.New("gone")
		time.Sleep(10 * time.Minute)
		phone.get("/")
		assert.Equal(t, everybody, phone.allows())
		require.Len(t, p.failures, 1)
		assert.ErrorContains(t, p.failures[0], "a copy of its decision: gone")
	})
}

func TestAPageIsServedIfTheAccountsDoNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		laptop, phone := p.browser(), p.browser()
		laptop.goesBy("ada")
		laptop.decides("refuse")
		phone.decides("save", "chat:Chat")
		p.hangs = true
		began := time.Now()
		phone.goesBy("ada")
		assert.LessOrEqual(t, time.Since(began), 2*time.Second)
		assert.Equal(t, "Chat", phone.allows(), "what this browser has stands")
		require.Len(t, p.failures, 1)
		assert.ErrorIs(t, p.failures[0], context.DeadlineExceeded)
		count := p.asked
		time.Sleep(20 * time.Second)
		phone.get("/")
		assert.Equal(t, count, p.asked, "not every page waits")

		time.Sleep(time.Minute)
		began = time.Now()
		phone.decides("refuse")
		assert.LessOrEqual(t, time.Since(began), 10*time.Second)
		assert.Empty(t, phone.allows(), "a refusal waits for no account")
		time.Sleep(time.Minute)
		p.hangs = false
		phone.get("/")
		assert.Len(t, p.links["ada"], 2, "and reaches it as soon as it answers")

		p.fails = errors.New("gone")
		laptop.decides("accept")
		assert.Len(t, p.links["ada"], 2)
		assert.Equal(t, everybody, laptop.allows())
		laptop.goesBy("")
		assert.Equal(t, "-", laptop.allows(), "a sign-out needs no account")
		assert.ErrorContains(t, p.failures[len(p.failures)-1], "gone")
	})
}

func TestAnAccountIsAskedAtTheSignInAndFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		b := p.browser()
		b.get("/")
		assert.Zero(t, p.asked, "for nobody")
		b.user = "ada"
		b.do("GET", "/plain", "", func(r *http.Request) { r.Header.Set("Sec-Fetch-Dest", "image") })
		assert.Zero(t, p.asked, "nor for what a page loads")
		b.get("/")
		b.get("/")
		assert.Equal(t, 1, p.asked)
		b.decides("refuse")
		time.Sleep(4 * time.Minute)
		b.get("/")
		assert.Equal(t, 1, p.asked)
		time.Sleep(time.Minute)
		b.get("/")
		assert.Equal(t, 2, p.asked)
	})
}

func TestNothingIsKeptByASharedCacheThatDependsOnAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		b := p.browser()
		isPrivate := func(response *http.Response) bool {
			return strings.HasPrefix(response.Header.Get("Cache-Control"), "private")
		}
		assert.False(t, isPrivate(b.do("GET", "/plain", "")), "nobody has ever signed in")
		for _, user := range []string{"ada", "bob", ""} {
			b.user = user
			assert.True(t, isPrivate(b.do("GET", "/plain", "")), "at the sign-in of %q", user)
			assert.False(t, isPrivate(b.do("GET", "/plain", "")), "and then nothing of %q is in it", user)
			assert.True(t, isPrivate(b.do("GET", "/", "")))
		}
	})
}

func TestWhatIsNotSentWithARequestIsNotTakenForMissing(t *testing.T) {
	p := newPortal(t, nil)
	b := p.browser()
	b.decides("accept")
	b.user = "ada" // whose session is a cookie with SameSite=None
	kept := b.cookies
	b.cookies = map[string]string{}
	response := b.do("POST", "/plain", "x=1", with("Sec-Fetch-Site", "cross-site"))
	assert.Empty(t, response.Cookies())
	b.cookies = kept
	b.goesBy("ada")
	b.goesBy("")
	assert.Equal(t, everybody, b.allows())
}

// A response to somebody who has signed out comes after one to somebody who has signed in.
func TestADecisionThatOvertakesASignInIsOfTheBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		b, tab := p.browser(), p.browser()
		tab.decides("accept")
		b.goesBy("ada")
		b.decides("refuse")
		for name, value := range tab.cookies {
			b.cookies[name] = value
		}
		b.goesBy("")
		assert.Equal(t, everybody, b.allows())

		b.goesBy("ada")
		delete(b.cookies, consent.CookieName) // by a script, or by the visitor
		b.goesBy("ada")
		assert.Empty(t, b.allows(), "the account is asked again")
		b.goesBy("")
		assert.Equal(t, everybody, b.allows())
		assert.Len(t, p.links["ada"], 1)
	})
}

func TestTheCharterListsTheCookieOfAccountsIfTheSiteHasAny(t *testing.T) {
	p := newPortal(t, nil)
	b := p.browser()
	const purpose = "Remembers that the choice of your account applies while you are signed in"
	assert.Regexp(t, `(?s)<code translate="no">cookies_preferences_account</code>.*`+purpose, b.get("/cookies/"))
	registry, err := consent.ReadRegistry(strings.NewReader(b.get("/cookies/charter.json")))
	require.NoError(t, err)
	found := registry.Lookup("cookies_preferences_account")
	require.Len(t, found, 1)
	assert.Equal(t, consent.Necessary, found[0].Category)
	assert.Contains(t, fmt.Sprint(found[0].Purpose), purpose)
	assert.NotContains(t, newSite(t, nil).get("/cookies/"), "cookies_preferences_account")

	b.user = "ada"
	for _, c := range b.do("GET", "/", "").Cookies() {
		assert.Equal(t, "cookies_preferences_account", c.Name)
		assert.True(t, c.HttpOnly && c.Secure)
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
	}
}

func TestARecordSaysThatTheVisitorWasToldOfTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, nil)
		ada := p.browser()
		drawn := ada.get("/")
		ada.answers(drawn, "refuse")
		assert.NotContains(t, string(p.records[0].Evidence.Notice.Content()), asked)
		ada.goesBy("ada")
		ada.answers(ada.get("/cookies/"), "refuse")
		assert.Contains(t, string(p.records[1].Evidence.Notice.Content()), asked)
		bob := p.browser()
		bob.goesBy("bob")
		bob.answers(bob.get("/cookies/"), "refuse")
		assert.NotContains(t, string(p.records[2].Evidence.Notice.Content()), bob.state().Account.Of)

		// The screen says what it says, whoever is signed in when the answer comes.
		carl := p.browser()
		before := carl.get("/")
		carl.goesBy("carl")
		during := carl.get("/")
		carl.answers(before, "refuse")
		assert.NotContains(t, string(p.records[3].Evidence.Notice.Content()), asked)
		carl.goesBy("")
		carl.answers(during, "refuse")
		assert.Contains(t, string(p.records[4].Evidence.Notice.Content()), asked)
	})
}

func TestMistakesInTheAccountsAreToldByField(t *testing.T) {
	of := func(*http.Request) string { return "" }
	recorded := newPortal(t, nil).mw
	for want, config := range map[string]charter.Config{
		"Config.Accounts: is nil":                        {Middleware: recorded, Account: of},
		"Config.Account: is nil":                         {Middleware: recorded, Accounts: &accounts{}},
		"Config.Accounts: holds a nil *charter_test.acc": {Middleware: recorded, Account: of, Accounts: (*accounts)(nil)},
		"Config.Accounts: takes a Recorder":              {Middleware: newMiddleware(t, declared()...), Account: of, Accounts: &accounts{}},
	} {
		_, err := charter.New(config)
		assert.ErrorContains(t, err, want)
	}
	mw, err := consent.NewMiddleware(consent.Config{Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Recorder: new(recorder), Registry: consent.MustRegistry(consent.Cookie{
		Provider: "X", Name: "cookies_preferences_account", Purpose: text("x"), Category: consent.ThirdParty,
	})})
	require.NoError(t, err)
	_, err = charter.New(charter.Config{Middleware: mw, Account: of, Accounts: &accounts{}})
	assert.ErrorContains(t, err, `"cookies_preferences_account" is declared, and not as Necessary`)

	for many, fit := range map[int]bool{200: true, 300: false} {
		var cookies []consent.Cookie
		for i := range many {
			cookies = append(cookies, consent.Cookie{Provider: fmt.Sprint(i), Name: fmt.Sprint("c", i), Purpose: text("x"), Category: consent.ThirdParty})
		}
		mw, err := consent.NewMiddleware(consent.Config{Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Recorder: new(recorder), Registry: consent.MustRegistry(cookies...)})
		require.NoError(t, err)
		_, err = charter.New(charter.Config{Middleware: mw, Account: of, Accounts: &accounts{}})
		assert.Equal(t, fit, err == nil, "%d: %v", many, err)
	}
}

func TestATemplateThatDoesNotSayItGivesAnAccountNothing(t *testing.T) {
	banner := template.Must(template.New("").Parse(`{{define "banner"}}<form><button name="choice" value="accept">{{.Ask}}</button></form>{{end}}`))
	p := newPortal(t, func(c *charter.Config) { c.Templates = banner })
	b := p.browser()
	b.answers(b.goesBy("ada")[:0], "accept")
	assert.Empty(t, p.links)
	b.goesBy("")
	assert.Equal(t, everybody, b.allows())
}

// Visitors of shared browsers: what holds is what the rule makes of the last choices of the
// account and of the browser, and a signed-out browser has its own.
func TestRandomUsersOfSharedBrowsersKeepToTheRule(t *testing.T) {
	providers := []string{"chat:Chat", "statistics:Matomo", "statistics:Plausible"}
	type set map[string]bool // nil for no decision
	list := func(s set) string {
		if s == nil {
			return "-"
		}
		var all []string
		for value := range s {
			_, name, _ := strings.Cut(value, ":")
			all = append(all, name)
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			p := newPortal(t, nil)
			browsers := []*browser{p.browser(), p.browser(), p.browser()}
			own, account := make([]set, len(browsers)), map[string]set{}
			settled := make([]map[string]bool, len(browsers))
			log := ""
			for range 30 {
				time.Sleep(6 * time.Minute) // so that each page asks
				n := rnd.IntN(len(browsers))
				b := browsers[n]
				switch rnd.IntN(3) {
				case 0:
					b.user = []string{"", "ada", "bob"}[rnd.IntN(3)]
					log += fmt.Sprintf("%d is %q; ", n, b.user)
				default:
					chosen := set{}
					var allow []string
					for _, provider := range providers {
						if rnd.IntN(2) == 0 {
							chosen[provider] = true
							allow = append(allow, provider)
						}
					}
					b.decides("save", allow...)
					log += fmt.Sprintf("%d (%q) chooses %v; ", n, b.user, allow)
					if b.user == "" {
						own[n], settled[n] = chosen, nil
					} else {
						account[b.user] = chosen
						if settled[n] == nil {
							settled[n] = map[string]bool{}
						}
						settled[n][b.user] = true
					}
				}
				for i, b := range browsers {
					want := own[i]
					if theirs := account[b.user]; b.user != "" && theirs != nil {
						switch {
						case own[i] == nil || settled[i][b.user]:
							want = theirs
						default:
							want = set{}
							for provider := range theirs {
								if own[i][provider] {
									want[provider] = true
								}
							}
						}
					}
					time.Sleep(6 * time.Minute)
					require.Equal(t, list(want), b.allows(), "browser %d of %q: %s", i, b.user, log)
				}
			}
			assert.Empty(t, p.failures)
		})
	}
}
