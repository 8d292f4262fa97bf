package charter_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func withGoogle(c *charter.Config) { c.Signals = []charter.Signal{charter.Google()} }

// everyTag returns a signal for each tag that the package knows.
func everyTag() []charter.Signal {
	return []charter.Signal{
		charter.GoogleWith(charter.GoogleOptions{RedactAds: true}), charter.Microsoft(), charter.Clarity(), charter.Meta(), charter.TikTok(),
		charter.Matomo(), charter.Piano(), charter.PostHog(), charter.Adobe(),
	}
}

func TestTheHeadTellsTagsBeforeAnythingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, without := newSite(t, withGoogle), newSite(t, nil)
		head, _ := s.draw("GET", "/", under(nil, s.charter.Head))
		assert.Regexp(t, `^<script>\(.*\)</script><style>`, head)
		s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
		time.Sleep(time.Minute)
		head, response := s.draw("GET", "/", under(nil, s.charter.Head))
		assert.Regexp(t, `^<script>\([^\n]*\)</script>$`, head, "whoever has decided, too")
		assert.Contains(t, response.Header.Get("Cache-Control"), "private")

		head, _ = without.draw("GET", "/", under(nil, without.charter.Head))
		assert.NotContains(t, head, "<script", "where there is nobody to tell")
		assert.Empty(t, without.charter.ScriptHash())
		assert.Equal(t, http.StatusNotFound, without.do("GET", "/cookies/head.js", nil).StatusCode)
	})
}

func TestTheHeadsScriptStandsInThePageIfItsPolicyAllowsIt(t *testing.T) {
	const inline, file = true, false
	for name, test := range map[string]struct {
		policies []string // HASH stands for ScriptHash
		nonce    bool
		want     bool
	}{
		"no policy":                              {nil, false, inline},
		"one for styles alone":                   {[]string{"style-src 'none'"}, false, inline},
		"default-src":                            {[]string{"default-src 'self'"}, false, file},
		"script-src":                             {[]string{"script-src 'self'"}, false, file},
		"script-src-elem before script-src":      {[]string{"script-src 'unsafe-inline'; script-src-elem 'self'"}, false, file},
		"unsafe-inline":                          {[]string{"script-src 'self' 'unsafe-inline'"}, false, inline},
		"unsafe-inline that strictness puts out": {[]string{"script-src 'unsafe-inline' 'strict-dynamic'"}, false, file},
		"unsafe-inline that a nonce puts out":    {[]string{"script-src 'unsafe-inline' 'nonce-x'"}, false, file},
		"the nonce":                              {[]string{"script-src 'nonce-r4nd0m' 'strict-dynamic'"}, true, inline},
		"another nonce":                          {[]string{"script-src 'nonce-other'"}, true, file},
		"the hash":                               {[]string{"script-src HASH"}, false, inline},
		"the hash of the style":                  {[]string{"script-src 'sha256-AAAA'"}, false, file},
		"two policies, the second of which bars": {[]string{"script-src 'unsafe-inline'", "default-src 'self'"}, false, file},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *charter.Config) {
				withGoogle(c)
				if test.nonce {
					withNonce(c)
				}
			})
			for i := range test.policies {
				test.policies[i] = strings.ReplaceAll(test.policies[i], "HASH", s.charter.ScriptHash())
			}
			head, _ := s.draw("GET", "/", under(test.policies, s.charter.Head))
			nonce := ""
			if test.nonce {
				nonce = ` nonce="r4nd0m"`
			}
			if test.want == inline {
				assert.True(t, strings.HasPrefix(head, "<script"+nonce+">(("), "%.100s", head)
			} else {
				assert.Regexp(t, `^<script src="/cookies/head-[^"]+\.js"`+nonce+`></script>`, head)
			}
		})
	}
}

func TestBothRoadsHaveTheSameScript(t *testing.T) {
	for name, headers := range map[string]map[string]string{"under opt-in": nil, "under opt-out": {"Country": "US"}, "with Global Privacy Control": {"Country": "US", "Sec-GPC": "1"}} {
		s := newSite(t, withGoogle)
		s.headers = headers
		head, _ := s.draw("GET", "/", under(nil, s.charter.Head))
		inline := found(head, `^<script>(.*?)</script>`)
		require.Len(t, inline, 1, name)
		head, _ = s.draw("GET", "/", under([]string{"default-src 'self'"}, s.charter.Head))
		file := found(head, `^<script src="([^"]+)"></script>`)
		require.Len(t, file, 1, name)
		response := s.do("GET", file[0], nil)
		assert.Equal(t, "public, max-age=31536000, immutable", response.Header.Get("Cache-Control"), name)
		assert.Equal(t, inline[0], body(response), name)

		response = s.do("GET", "/cookies/head.js", nil)
		assert.Equal(t, inline[0], body(response), name)
		if headers == nil {
			assert.Equal(t, "public, max-age=3600", response.Header.Get("Cache-Control"))
			sum := sha256.Sum256([]byte(inline[0]))
			assert.Equal(t, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", s.charter.ScriptHash())
		} else {
			assert.Equal(t, "private, no-cache", response.Header.Get("Cache-Control"), "it is the visitor's own")
		}
	}
}

func TestTheHeadsScriptIsNotAFileForNobodysLaw(t *testing.T) {
	s := newSite(t, withGoogle)
	head, _ := s.draw("GET", "/", under([]string{"default-src 'self'"}, s.charter.Head))
	file := found(head, `^<script src="([^"]+)"></script>`)
	require.Len(t, file, 1)
	plain := s.get(file[0])
	for _, law := range []string{"", "9999", `")`, "22222222222222"} {
		assert.Equal(t, plain, s.get(file[0]+"?law="+url.QueryEscape(law)), law)
	}
}

func TestASignalIsAMistakeIfItNamesWhatIsNotThere(t *testing.T) {
	_, err := charter.New(charter.Config{
		Middleware: newMiddleware(t, declared()...),
		Categories: map[consent.Category]charter.Category{"chat": {Title: text("Conversation"), About: text("To talk with us.")}},
		Signals: []charter.Signal{
			charter.Google().With(map[string][]string{"ad_storage": {"advertising"}, "analytics": {"statistics"}, "analytics_storage": {"statistics:Google"}}),
			charter.Microsoft(),
			charter.Google(),
			{Name: "own", Purposes: map[string][]string{"talks": {"chat", "chat:Nobody"}}},
			{Call: "() => {}"},
		},
	})
	require.Error(t, err)
	assert.Equal(t, []string{
		`charter: Config.Signals[0] (google): Purposes: ad_storage: nothing is declared in the category "advertising"`,
		`charter: Config.Signals[0] (google): Purposes: the tag has no word "analytics"; it has ["ad_personalization" "ad_storage" "ad_user_data" "analytics_storage" "functionality_storage" "personalization_storage" "security_storage"]`,
		`charter: Config.Signals[0] (google): Purposes: analytics_storage: nothing of the provider "Google" is declared in the category "statistics"`,
		`charter: Config.Signals[1] (microsoft): Purposes: no visitor can grant a word of it: declare what asks for consent in one of the categories ["advertising"], or say by With what a word needs`,
		`charter: Config.Signals[2] (google): another one has this name`,
		`charter: Config.Signals[3] (own): Call is empty`,
		`charter: Config.Signals[3] (own): Purposes: talks: nothing of the provider "Nobody" is declared in the category "chat"`,
		`charter: Config.Signals[4] (): Name is empty`,
		`charter: Config.Signals[4] (): Purposes is empty`,
	}, strings.Split(err.Error(), "\n"))

	hidden, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(declared()[:5]...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, HttpOnly: true})
	require.NoError(t, err)
	_, err = charter.New(charter.Config{Middleware: hidden, Signals: []charter.Signal{charter.Google()}})
	assert.EqualError(t, err, "charter: Config.Signals: no script can read the decision, as HttpOnly of consent.Config says")
}

func TestASignalOfTheSitesOwnIsTakenAsItIs(t *testing.T) {
	own := charter.Signal{Name: "own", Purposes: map[string][]string{"talks": {"chat:Chat"}, `</script><script>`: {}}, Call: "granted => own.push(granted) // told"}
	s := newSite(t, func(c *charter.Config) { c.Signals = []charter.Signal{own} })
	script := s.get("/cookies/head.js")
	assert.Contains(t, script, "(granted => own.push(granted) // told\n)")
	assert.NotContains(t, script, "</script>")

	own.Call = `granted => document.write("</script>")`
	s = newSite(t, func(c *charter.Config) { c.Signals = []charter.Signal{own} })
	head, _ := s.draw("GET", "/", under(nil, s.charter.Head))
	assert.Regexp(t, `^<script src="/cookies/head-[^"]+\.js"></script>`, head, "it would end the script in the page")
}

// compressed returns what is left of content on the wire.
func compressed(t *testing.T, content string) int {
	t.Helper()
	var wire bytes.Buffer
	z, err := gzip.NewWriterLevel(&wire, gzip.BestCompression)
	require.NoError(t, err)
	_, err = z.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return wire.Len()
}

func TestTheHeadsScriptIsSmall(t *testing.T) {
	purposes := newSite(t, func(c *charter.Config) {
		withGoogle(c)
		c.Middleware, c.Categories = newMiddleware(t, append(advertising(),
			consent.Cookie{Provider: "Meta", Name: "_fbp", Purpose: text("Measures ads."), Category: consent.Advertising},
			consent.Cookie{Provider: "Microsoft", Name: "_uet*", Purpose: text("Measures ads."), Category: consent.Advertising},
			consent.Cookie{Provider: "Site", Name: "theme", Purpose: text("Remembers colours."), Category: consent.Appearance},
			consent.Cookie{Provider: "Site", Name: "seen", Purpose: text("Suggests more."), Category: consent.Personalisation},
		)...), nil
	})
	one := max(compressed(t, newSite(t, withGoogle).get("/cookies/head.js")), compressed(t, purposes.get("/cookies/head.js")))
	all := compressed(t, newSite(t, func(c *charter.Config) {
		c.Middleware, c.Categories, c.Signals = newMiddleware(t, append(advertising()[:2:2], declared()[:5]...)...), nil, everyTag()
	}).get("/cookies/head.js"))
	t.Logf("%d bytes with Google's, %d with all", one, all)
	assert.LessOrEqual(t, one, 700)
	assert.LessOrEqual(t, all, 2<<10)
}

// advertising are declarations by purpose, of Google alone.
func advertising() []consent.Cookie {
	return []consent.Cookie{
		{Provider: "Google", Name: "_ga*", Purpose: text("Measures."), Category: consent.AudienceMeasurement},
		{Provider: "Google", Name: "_gcl_*", Purpose: text("Measures ads."), Category: consent.Advertising},
		{Provider: "Site", Name: "visits", Purpose: text("Counts visits."), Category: consent.Statistics, Anonymous: true},
	}
}

var video = consent.Cookie{Provider: "YouTube", Name: "VISITOR_INFO1_LIVE", Purpose: text("Plays films."), Category: consent.ThirdParty}

func TestTheHeadsScriptTakesAVideoForNoAd(t *testing.T) {
	s := newSite(t, func(c *charter.Config) {
		withGoogle(c)
		c.Middleware, c.Categories = newMiddleware(t, append(advertising()[:1:1], video)...), nil
	})
	assert.Contains(t, s.get("/cookies/head.js"), `ad_storage:"denied"`)
}

// It is no mistake, since what a tag does without consent may be all that a site wants of it.
func TestASiteIsWarnedOfATagThatNobodyCanAllowByTheNameOfItsVendor(t *testing.T) {
	for name, test := range map[string]struct {
		signal   charter.Signal
		provider string
		want     string
	}{
		"of another vendor":                {charter.Meta(), "Google", `Config.Signals (meta): Purposes`},
		"of its vendor":                    {charter.Meta(), "Meta Platforms", ""},
		"as the site says":                 {charter.Meta().With(map[string][]string{"consent": {"advertising"}}), "Google", ""},
		"Matomo, which the site runs":      {charter.Matomo(), "Ville", ""},
		"its cookies":                      {charter.MatomoCookies(), "Ville", ""},
		"PostHog, which the site runs":     {charter.PostHog(), "Ville", ""},
		"Piano, which no site runs itself": {charter.Piano(), "Ville", `Config.Signals (piano): Purposes`},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			usual := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
			defer slog.SetDefault(usual)
			newSite(t, func(c *charter.Config) {
				c.Middleware, c.Categories, c.Signals = newMiddleware(t,
					consent.Cookie{Provider: test.provider, Name: "_a", Purpose: text("Measures ads."), Category: consent.Advertising},
					consent.Cookie{Provider: test.provider, Name: "_m", Purpose: text("Measures."), Category: consent.Statistics},
				), nil, []charter.Signal{test.signal}
			})
			if test.want == "" {
				assert.Empty(t, said.String())
			} else {
				assert.Contains(t, said.String(), test.want)
			}
		})
	}
}

func TestAServerLearnsWhatToSendWithItsOwnEvents(t *testing.T) {
	for name, test := range map[string]struct {
		headers map[string]string
		form    url.Values
		change  func(*charter.Config)
		want    string
	}{
		"nothing decided":        {nil, nil, nil, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G100`},
		"everything refused":     {nil, url.Values{"choice": {"refuse"}}, nil, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G100`},
		"everything accepted":    {nil, url.Values{"choice": {"accept"}}, nil, `{"ad_user_data":"GRANTED","ad_personalization":"GRANTED"} G111`},
		"measurement alone":      {nil, url.Values{"choice": {"save"}, "allow": {"audience-measurement:Google"}}, nil, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G101`},
		"a law that presumes":    {map[string]string{"Country": "US"}, nil, nil, `{"ad_user_data":"GRANTED","ad_personalization":"GRANTED"} G111`},
		"Global Privacy Control": {map[string]string{"Country": "US", "Sec-GPC": "1"}, nil, nil, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G101`},
		"a meaning of the site's own": {nil, url.Values{"choice": {"save"}, "allow": {"audience-measurement:Google"}}, func(c *charter.Config) {
			c.Signals = []charter.Signal{charter.Google().With(map[string][]string{"ad_user_data": {"audience-measurement:Google"}})}
		}, `{"ad_user_data":"GRANTED","ad_personalization":"DENIED"} G101`},
		"ads of others are none of Google's": {nil, url.Values{"choice": {"accept"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, advertising()[0], consent.Cookie{Provider: "Meta", Service: text("Metagoogle"), Name: "_fbp", Purpose: text("Measures ads."), Category: consent.Advertising})
		}, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G101`},
		"Google's by the name of a service": {nil, url.Values{"choice": {"accept"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, consent.Cookie{Provider: "Alphabet", Service: text("google ads"), Name: "_gcl_au", Purpose: text("Measures ads."), Category: consent.Advertising})
		}, `{"ad_user_data":"GRANTED","ad_personalization":"GRANTED"} G110`},
		"a name that only begins with the same letters": {nil, url.Values{"choice": {"accept"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, consent.Cookie{Provider: "Googlers", Name: "_gcl_au", Purpose: text("Measures ads."), Category: consent.Advertising})
		}, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G100`},
		"Google's with others that are refused": {nil, url.Values{"choice": {"save"}, "allow": {"advertising:Google"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, append(advertising(), consent.Cookie{Provider: "Meta", Name: "_fbp", Purpose: text("Measures ads."), Category: consent.Advertising})...)
		}, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G100`},
		"a video that was allowed in ThirdParty is no ad": {nil, url.Values{"choice": {"accept"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, append(advertising()[:1:1], video)...)
		}, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G101`},
		"what is refused in ThirdParty may be an ad": {nil, url.Values{"choice": {"save"}, "allow": {"advertising:Google"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, append(advertising(), video)...)
		}, `{"ad_user_data":"DENIED","ad_personalization":"DENIED"} G100`},
		"a site that declares its ads in ThirdParty says so": {nil, url.Values{"choice": {"accept"}}, func(c *charter.Config) {
			c.Middleware = newMiddleware(t, video)
			c.Signals = []charter.Signal{charter.Google().With(map[string][]string{"ad_user_data": {"third-party"}})}
		}, `{"ad_user_data":"GRANTED","ad_personalization":"DENIED"} G100`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *charter.Config) {
				c.Middleware, c.Categories = newMiddleware(t, advertising()...), nil
				if test.change != nil {
					test.change(c)
				}
			})
			s.headers = test.headers
			if test.form != nil {
				require.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", test.form).StatusCode)
			}
			got, _ := s.draw("GET", "/", under(nil, func(r *http.Request) template.HTML {
				google := s.charter.Google(r)
				object, err := json.Marshal(google)
				require.NoError(t, err)
				return template.HTML(string(object) + " " + google.GCS)
			}))
			assert.Equal(t, test.want, got)
		})
	}
}
