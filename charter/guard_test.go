package charter_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestMistakesInTheGuardAreToldTogether(t *testing.T) {
	hidden, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, HttpOnly: true})
	require.NoError(t, err)
	_, err = charter.New(charter.Config{Middleware: hidden, Guard: 7, GuardReport: "https://example.org/debug"})
	assert.EqualError(t, err, `charter: Config.Guard: 7 is none of the constants
charter: Config.Guard: no script can read the decision, as HttpOnly of consent.Config says
charter: Config.GuardReport: "https://example.org/debug" is no path on the site`)
	_, err = charter.New(charter.Config{Middleware: hidden, GuardReport: "/debug/cookies"})
	assert.EqualError(t, err, "charter: Config.GuardReport: there is no Guard to tell of")
}

// guardScript returns the script of the head of a site with these cookies.
func guardScript(t *testing.T, guard charter.Guard, cookies ...consent.Cookie) string {
	t.Helper()
	for i := range cookies {
		cookies[i].Purpose = consent.Text{language.English: "For something."}
	}
	mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(cookies...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, Guard: guard})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, site.Head(r)) })).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	script, _, _ := strings.Cut(w.Body.String(), "<style")
	return script
}

func TestThereIsNoGuardUnlessTheSiteAsksForOne(t *testing.T) {
	assert.Empty(t, guardScript(t, charter.GuardOff, consent.Cookie{Name: "_ga", Provider: "Google", Category: consent.Statistics}))
}

// A name may hold whatever a script may write: in local storage nothing is forbidden.
func TestTheGuardsDataAreCodeWhateverTheNamesAre(t *testing.T) {
	script := guardScript(t, charter.GuardAll,
		consent.Cookie{Kind: consent.LocalStorage, Name: "</script><!--", Provider: "Vimeo", Category: consent.ThirdParty},
		consent.Cookie{Kind: consent.LocalStorage, Name: "a/b\\c.d\n\u2028[e]*(f)$^{1}?+|", Provider: "Vimeo", Category: consent.ThirdParty},
	)
	assert.Contains(t, script, `[/^\x3c\/script>\x3c!--$/s,0]`)
	assert.Contains(t, script, `[/^a\/b\\c\.d\x0a\u2028\[e\].*\(f\)\$\^\{1\}\?\+\|$/s,0]`)
	assert.True(t, strings.HasPrefix(script, "<script>"), "it stands in the page")
	assert.Equal(t, 1, strings.Count(script, "</script>"))
}

// fifty are declarations of a shop with fifteen providers.
func fifty() (cookies []consent.Cookie) {
	for i, name := range strings.Fields(`sessionid csrftoken basket locale _ga _ga_* _gid _gat_* _gcl_au _gcl_aw _fbp _fbc _pk_id* _pk_ses* _pk_ref*
		_uetsid _uetvid MUID _clck _clsk CLID _ttp _tt_enable_cookie _scid _pin_unauth _pinterest_ct_ua li_sugr bcookie lidc UserMatchHistory
		__hstc hubspotutk __hssc __hssrc intercom-id-* intercom-session-* _hjSessionUser_* _hjSession_* mp_*_mixpanel ajs_anonymous_id ajs_user_id
		vuid player dmvk IDE test_cookie NID optimizelyEndUserId ab.storage.* visits`) {
		category := []consent.Category{consent.Necessary, consent.Statistics, consent.Advertising, consent.Chat, consent.EmbeddedMedia}[min(4, i/10)]
		c := consent.Cookie{Name: name, Provider: fmt.Sprintf("Provider %d", i*15/50), Category: category}
		if i%5 == 4 {
			c.Kind = consent.LocalStorage
		}
		cookies = append(cookies, c)
	}
	return cookies
}

func TestTheGuardIsSmall(t *testing.T) {
	require.Len(t, fifty(), 50)
	all, bare := compressed(t, guardScript(t, charter.GuardAll, fifty()...)), compressed(t, guardScript(t, charter.GuardAll))
	t.Logf("%d bytes, of which %d for 50 declarations", all, all-bare)
	assert.LessOrEqual(t, all-bare, 1024, "the data of 50 declarations")

	// Without what a site declares.
	files := func(patterns ...string) (all string) {
		for _, pattern := range patterns {
			names, err := filepath.Glob(pattern)
			require.NoError(t, err)
			require.NotEmpty(t, names, pattern)
			for _, name := range names {
				if strings.HasPrefix(name, "signals/") && strings.Contains(name, "-") {
					continue // another form of one that is there
				}
				content, err := os.ReadFile(name)
				require.NoError(t, err)
				all += string(content)
			}
		}
		return all
	}
	head := compressed(t, files("head.min.js"))
	for name, most := range map[string]int{"head-guard.min.js": 600, "head-storage.min.js": 900} {
		size := compressed(t, files(name)) - head
		t.Logf("%d bytes in %s", size, name)
		assert.LessOrEqual(t, size, most, name)
	}
	everything := compressed(t, files("head-storage.min.js", "signals/[a-z]*.min.js"))
	t.Logf("%d bytes with the tables of all tags", everything)
	assert.LessOrEqual(t, everything, 2048, "with the tables of all tags")
}
