package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// A visitor is a browser without JavaScript.
type visitor struct {
	*testing.T
	*http.Client
	site     string
	language string // that the browser asks for
}

func visit(t *testing.T, language string) visitor {
	t.Helper()
	handler, err := newSite()
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return visitor{t, &http.Client{Jar: jar}, server.URL, language}
}

// An answer is a response, read to its end.
type answer struct {
	*http.Response
	body string // without character references
}

// says reports whether the answer holds a text.
func (a answer) says(text string) bool { return strings.Contains(a.body, text) }

func (v visitor) get(path string) answer {
	v.Helper()
	request, err := http.NewRequest("GET", v.site+path, nil)
	require.NoError(v, err)
	return v.send(request)
}

func (v visitor) post(path string, form url.Values) answer {
	v.Helper()
	return v.send(v.form(path, form))
}

func (v visitor) form(path string, form url.Values) *http.Request {
	v.Helper()
	request, err := http.NewRequest("POST", v.site+path, strings.NewReader(form.Encode()))
	require.NoError(v, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

func (v visitor) send(request *http.Request) answer {
	v.Helper()
	request.Header.Set("Accept-Language", v.language)
	response, err := v.Do(request)
	require.NoError(v, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v, err)
	return answer{response, html.UnescapeString(string(body))}
}

// jar returns the cookies that the browser keeps.
func (v visitor) jar() map[string]string {
	v.Helper()
	u, err := url.Parse(v.site)
	require.NoError(v, err)
	kept := make(map[string]string)
	for _, c := range v.Jar.Cookies(u) {
		kept[c.Name] = c.Value
	}
	return kept
}

// keeps returns the names of the cookies that the browser keeps.
func (v visitor) keeps() string {
	v.Helper()
	var names []string
	for name := range v.jar() {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

var (
	tag       = regexp.MustCompile(`<[^>]*>`)
	space     = regexp.MustCompile(`\s+`)
	listItem  = regexp.MustCompile(`(?s)<li.*?</li>`)
	aboutUser = regexp.MustCompile(`(?s)<section class="(panel|choice)".*?</section>`)
)

// lists returns what a visitor reads in the items of the panel and of the
// choice.
func (a answer) lists() (panel, choice []string) {
	for _, section := range aboutUser.FindAllStringSubmatch(a.body, -1) {
		var items []string
		for _, item := range listItem.FindAllString(section[0], -1) {
			items = append(items, strings.TrimSpace(space.ReplaceAllString(tag.ReplaceAllString(item, ""), " ")))
		}
		if section[1] == "panel" {
			panel = items
		} else {
			choice = items
		}
	}
	return panel, choice
}

var (
	accept = url.Values{"choice": {"accept"}, "back": {"/"}}
	refuse = url.Values{"choice": {"refuse"}, "back": {"/"}}
)

func save(allow ...string) url.Values {
	return url.Values{"choice": {"save"}, "back": {"/"}, "allow": allow}
}

func TestNothingLeaksAndNothingIsLostWhateverTheChoice(t *testing.T) {
	const mapCookie = " atlas_view"
	for _, test := range []struct {
		name    string
		choices []url.Values // one after the other
		keeps   string
		panel   []string
		choice  []string
		mapped  bool
	}{
		{
			name:  "before any choice",
			keeps: "csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✕ removed you have not chosen yet",
				"profile ✕ removed you have not chosen yet",
				"ad_id ✕ removed you have not chosen yet",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✕ not allowed",
			},
		},
		{
			name:    "after a refusal",
			choices: []url.Values{refuse},
			keeps:   "cookies_preferences csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✕ removed you have refused",
				"profile ✕ removed you have refused",
				"ad_id ✕ removed you have refused",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✕ not allowed",
			},
		},
		{
			name:    "after a consent to everything",
			choices: []url.Values{accept},
			keeps:   "_pk_id.1.1fff ad_id" + mapCookie + " cookies_preferences csrftoken profile visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✓ sent you have consented",
				"profile ✓ sent you have consented",
				"ad_id ✓ sent you have consented",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✓ allowed",
				"Suggested datasets Valombre ✓ allowed",
				"Advertising banner Régie Exemple ✓ allowed",
				"Map of the town Atlas Exemple ✓ allowed",
			},
			mapped: true,
		},
		{
			name:    "after a choice between two providers of one category",
			choices: []url.Values{save("statistics:Matomo", "third-party:"+atlasProvider)},
			keeps:   "_pk_id.1.1fff" + mapCookie + " cookies_preferences csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✓ sent you have consented",
				"profile ✕ removed you have refused",
				"ad_id ✕ removed you have refused",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✓ allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✓ allowed",
			},
			mapped: true,
		},
		{
			name:    "after a consent that is taken back in part, with an objection",
			choices: []url.Values{accept, {"choice": {"save"}, "back": {"/"}, "allow": {"first-party:Valombre"}, "object": {"1"}}},
			keeps:   "cookies_preferences csrftoken profile",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✕ removed you object to it",
				"_pk_id.1.1fff ✕ removed you have refused",
				"profile ✓ sent you have consented",
				"ad_id ✕ removed you have refused",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✕ not allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✓ allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✕ not allowed",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, "en")
			v.get("/")
			page := v.get("/")
			for _, choice := range test.choices {
				page = v.post("/cookies/", choice)
				assert.Equal(t, "/", page.Request.URL.Path, "back on the page that the banner was on")
				v.get("/atlas/") // as the page's frame does where there is one
			}
			panel, choice := page.lists()
			assert.Equal(t, test.panel, panel)
			assert.Equal(t, test.choice, choice)
			assert.Equal(t, len(test.choices) == 0, page.says(`class="consent-banner"`))
			assert.Equal(t, len(test.choices) == 0, page.says("You have not chosen yet."))
			shown, _, _ := strings.Cut(page.body, "<template")
			assert.Equal(t, test.mapped, strings.Contains(shown, "<iframe"))
			v.get("/atlas/")
			assert.Equal(t, test.keeps, v.keeps())
		})
	}
}

func TestThePanelSpeaksFrench(t *testing.T) {
	v := visit(t, "fr")
	for _, test := range []struct {
		name string
		page answer
		want []string
	}{
		{"before any choice", v.get("/"), []string{
			"csrftoken ✓ envoyé nécessaire, sans accord",
			"visits ✓ envoyé statistiques anonymes, sans accord",
			"_pk_id.1.1fff ✕ retiré vous n'avez pas encore choisi",
			"profile ✕ retiré vous n'avez pas encore choisi",
			"ad_id ✕ retiré vous n'avez pas encore choisi",
			"gadget ✕ retiré personne ne l'a déclaré",
		}},
		{"after a choice", v.post("/cookies/", url.Values{"choice": {"save"}, "back": {"/"}, "allow": {"statistics:Matomo"}, "object": {"1"}}), []string{
			"csrftoken ✓ envoyé nécessaire, sans accord",
			"visits ✕ retiré vous vous y opposez",
			"_pk_id.1.1fff ✓ envoyé vous avez accepté",
			"profile ✕ retiré vous avez refusé",
			"ad_id ✕ retiré vous avez refusé",
			"gadget ✕ retiré personne ne l'a déclaré",
		}},
	} {
		panel, choice := test.page.lists()
		assert.Equal(t, test.want, panel, test.name)
		assert.Contains(t, choice, "Plan de la ville Atlas Exemple ✕ non autorisé", test.name)
	}
}

func TestPageAndCharterFollowTheLanguageThatIsChosen(t *testing.T) {
	for _, test := range []struct {
		name, browser, chosen, page, charter string
	}{
		{"the browser's", "en-GB", "", "en", "en"},
		{"the one chosen, before the browser's", "en", "fr", "fr", "fr"},
		{"the one chosen, whatever the browser's", "de", "en", "en", "en"},
		{"one that only the charter speaks", "de", "", "fr", "de"},
		{"one that nothing here speaks", "ja", "", "fr", "fr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, test.browser)
			if test.chosen != "" {
				v.post("/language", url.Values{"language": {test.chosen}})
				assert.Equal(t, test.chosen, v.jar()["django_language"])
			}
			home := v.get("/")
			assert.True(t, home.says(`<html lang="`+test.page+`"`), "the page")
			assert.True(t, home.says(`class="consent-banner" lang="`+test.charter+`"`), "the banner")
			assert.True(t, home.says(`href="/cookies/#settings" lang="`+test.charter+`"`), "the link")
			assert.True(t, v.get("/cookies/").says(`<html lang="`+test.charter+`"`), "the charter")
		})
	}
}

func TestTheCharterTellsEveryCookie(t *testing.T) {
	charter := visit(t, "fr").get("/cookies/")
	for _, declared := range cookies.Cookies() {
		assert.Equal(t, 1, strings.Count(charter.body, ">"+declared.Name+"<"), declared.Name)
		purpose, _ := declared.Purpose.In(spoken[0])
		assert.True(t, charter.says(purpose), purpose)
	}
}

func TestThePortalWorksForThoseWhoRefuse(t *testing.T) {
	v := visit(t, "en")
	v.post("/cookies/", refuse)
	assert.True(t, v.post("/sign-in", url.Values{"name": {" Ada & Co "}}).says("<strong>Ada & Co</strong>"))
	assert.Contains(t, v.keeps(), "sessionid")
	assert.True(t, v.get("/").says("Signed in as"))
	assert.True(t, v.post("/language", url.Values{"language": {"fr"}}).says("Connecté en tant que"))
	assert.False(t, v.post("/sign-out", nil).says("Ada"))
	assert.NotContains(t, v.keeps(), "sessionid")
}

func TestASessionIsSomebodysOwn(t *testing.T) {
	v := visit(t, "en")
	v.post("/sign-in", url.Values{"name": {"Ada"}})
	v.Jar, _ = cookiejar.New(nil)
	assert.False(t, v.get("/").says("Ada"))
}

func TestTheAPIAsksForItsToken(t *testing.T) {
	for _, test := range []struct {
		name         string
		visited      bool
		form, header string
		status       int
		want         string
	}{
		{"without a visit", false, "", "", 403, "csrftoken: missing or wrong"},
		{"without a token", true, "", "", 403, "csrftoken: missing or wrong"},
		{"with a guess", true, "guess", "", 403, "csrftoken: missing or wrong"},
		{"with a guess in the header", true, "{token}", "guess", 403, "csrftoken: missing or wrong"},
		{"with the token in the form", true, "{token}", "", 200, `"title": "Air quality"`},
		{"with the token in the header", true, "", "{token}", 200, `"title": "Air quality"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, "en")
			if test.visited {
				v.get("/")
			}
			token := strings.NewReplacer("{token}", v.jar()["csrftoken"])
			request := v.form("/api/datasets", url.Values{"csrftoken": {token.Replace(test.form)}})
			if test.header != "" {
				request.Header.Set("X-CSRFToken", token.Replace(test.header))
			}
			answer := v.send(request)
			assert.Equal(t, test.status, answer.StatusCode)
			assert.Contains(t, answer.body, test.want)
		})
	}
}

func TestBadFormsAreRefusedWithAWord(t *testing.T) {
	v := visit(t, "en")
	long := strings.Repeat("x", maxForm)
	for _, test := range []struct {
		path   string
		form   url.Values
		status int
		want   string
	}{
		{"/cookies/", nil, 400, "choice"},
		{"/cookies/", save("third-party:Nobody"), 400, `"Nobody"`},
		{"/cookies/", url.Values{"choice": {"accept"}, "x": {long}}, 413, "too large"},
		{"/language", url.Values{"language": {"xx"}}, 400, "language"},
		{"/language", url.Values{"language": {""}}, 400, "language"},
		{"/sign-in", url.Values{"name": {" "}}, 400, "name"},
		{"/sign-in", url.Values{"name": {strings.Repeat("x", 101)}}, 400, "name"},
		{"/sign-in", url.Values{"name": {long}}, 413, "too large"},
	} {
		answer := v.post(test.path, test.form)
		assert.Equal(t, test.status, answer.StatusCode, "%s %.40v", test.path, test.form)
		assert.Contains(t, answer.body, test.want)
		assert.Empty(t, v.keeps())
	}
}

func TestNoOtherSitePostsForAVisitor(t *testing.T) {
	v := visit(t, "en")
	for path, form := range map[string]url.Values{
		"/cookies/": accept,
		"/language": {"language": {"en"}},
		"/sign-in":  {"name": {"Mallory"}},
		"/sign-out": nil,
	} {
		request := v.form(path, form)
		request.Header.Set("Origin", "https://evil.example")
		answer := v.send(request)
		assert.Equal(t, http.StatusForbidden, answer.StatusCode, path)
		assert.Contains(t, answer.body, "cross-origin", path)
		assert.Empty(t, v.keeps(), path)
	}
}

func TestEveryPageLoadsOnlyWhatThePortalServes(t *testing.T) {
	v := visit(t, "en")
	named := regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	for _, path := range []string{"/", "/cookies/", "/atlas/"} {
		page := v.get(path)
		policy := page.Header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'; style-src 'self'; ", path)
		assert.NotContains(t, policy, "unsafe", path)
		assert.NotRegexp(t, `<style|style="|<script>| on[a-z]+="`, page.body, path)
		for _, name := range named.FindAllStringSubmatch(page.body, -1) {
			if strings.HasPrefix(name[1], "#") {
				continue
			}
			assert.Regexp(t, `^/([^/]|$)`, name[1], "on this site")
			assert.NotEqual(t, http.StatusNotFound, v.get(name[1]).StatusCode, name[1])
		}
	}
	assert.Equal(t, "image/svg+xml", v.get("/favicon.ico").Header.Get("Content-Type"))
}

func TestNoSentenceIsMissingOrIdle(t *testing.T) {
	said := make(map[string]bool)
	for _, name := range []string{"home.html", "panel.go", "view.go"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, call := range regexp.MustCompile(`(?:Say |say\(|why :?= )"([^"]*)"`).FindAllSubmatch(source, -1) {
			said[string(call[1])] = true
			assert.Contains(t, words, string(call[1]))
		}
	}
	for _, reason := range []consent.Reason{consent.Undeclared, consent.Undecided, consent.Refused, consent.Objected} {
		said[string(reason)] = true
		assert.Contains(t, words, string(reason))
	}
	for key, sentence := range words {
		assert.True(t, said[key], "%q is never said", key)
		for _, tag := range spoken {
			assert.NotEmpty(t, sentence[tag], key)
		}
	}
}
