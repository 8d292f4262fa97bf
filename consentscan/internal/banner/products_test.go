package banner_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/banner"
)

// cookieValue is a script that reads a cookie.
const cookieValue = `decodeURIComponent(document.cookie.split("; ").find(c => c.startsWith(%q + "="))?.split(/=(.*)/s)[1] ?? "")`

var (
	vanillaState = fmt.Sprintf(`(({categories, services}) => [...categories, ...Object.values(services).flat()])(JSON.parse(`+cookieValue+`))`, "cc_cookie")
	klaroState   = fmt.Sprintf(`Object.entries(JSON.parse(`+cookieValue+`)).filter(([, on]) => on).map(([name]) => name)`, "klaro")
	tacState     = fmt.Sprintf(`[...(`+cookieValue+`).matchAll(/!(\w+)=true/g)].map(m => m[1])`, "tarteaucitron")
	orejimeState = fmt.Sprintf(`Object.entries(JSON.parse(`+cookieValue+`)).filter(([, on]) => on).map(([name]) => name)`, "eu-consent")
)

// vanilla returns a page as the documentation of vanilla-cookieconsent sets it up.
func vanilla(load, consentModal, more string) string {
	return `<link rel="stylesheet" href="/npm/vanilla-cookieconsent/dist/cookieconsent.css"><script type="module">` + load + `
CookieConsent.run({hideFromBots: false, ` + more + `
  categories: {necessary: {enabled: true, readOnly: true}, analytics: {services: {ga: {label: "Google Analytics"}, matomo: {label: "Matomo"}}}, ads: {}},
  language: {default: "en", translations: {en: {
    consentModal: {title: "We use cookies", description: "…", ` + consentModal + `},
    preferencesModal: {title: "Manage", acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all", savePreferencesBtn: "Accept current selection", closeIconLabel: "Close", sections: [
      {title: "Necessary", description: "…", linkedCategory: "necessary"}, {title: "Performance and analytics", description: "…", linkedCategory: "analytics"}, {title: "Ads", description: "…", linkedCategory: "ads"}]}}}}});
</script>`
}

const (
	umd        = `import "/npm/vanilla-cookieconsent/dist/cookieconsent.umd.js";`
	esm        = `import * as CookieConsent from "/npm/vanilla-cookieconsent/dist/cookieconsent.esm.js";`
	allButtons = `acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all", showPreferencesBtn: "Manage"`
)

// changed returns a page whose settings have a few more lines, once the file that has them
// is loaded.
func klaro(more string) string {
	return `<script src="/pages/klaro.js"></script><script>Object.assign(klaroConfig, {` + more + `})</script><script defer src="/npm/klaro/dist/klaro.js"></script>`
}

// tac replaces lines in the settings of tarteaucitron.
func tac(replace ...string) string {
	return `<script src="/npm/tarteaucitronjs/tarteaucitron.min.js"></script><script src="/pages/tarteaucitron.js?` + strings.Join(replace, "&") + `"></script>`
}

func orejime(build, more string) string {
	return `<script src="/pages/orejime.js"></script><script>Object.assign(orejimeConfig, {` + more + `})</script>
<link href="/npm/orejime/dist/orejime-standard.css" rel="stylesheet"><script defer src="/npm/orejime/dist/orejime-` + build + `.js"></script>`
}

var products = []struct {
	name, product, head, body string
	state                     string
	always, all               string // what is allowed by a refusal, and by a consent
	choices                   string
	wanted, only              string // a choice, and what it allows
}{
	{"vanilla", "vanilla-cookieconsent", vanilla(umd, allButtons, ""), "", vanillaState, "necessary", "necessary analytics ads ga matomo", "analytics ads", "statistics", "necessary analytics ga matomo"},
	{"vanilla as a module", "vanilla-cookieconsent", vanilla(esm, allButtons, ""), "", vanillaState, "necessary", "necessary analytics ads ga matomo", "analytics ads", "advertising", "necessary ads"},
	{"vanilla with a link, one service", "vanilla-cookieconsent", vanilla(esm, allButtons, ""), `<button data-cc="show-preferencesModal">Cookies</button>`, vanillaState, "necessary", "necessary analytics ads ga matomo", "analytics ads", "Matomo", "necessary analytics matomo"},
	{"vanilla without a refusal in the banner", "vanilla-cookieconsent", vanilla(umd, `acceptAllBtn: "Accept all", showPreferencesBtn: "Manage"`, `disablePageInteraction: true,`), "", vanillaState, "necessary", "necessary analytics ads ga matomo", "analytics ads", "analytics", "necessary analytics ga matomo"},

	{"klaro", "klaro", klaro(""), "", klaroState, "session", "session matomo recent vimeo", "statistics firstParty thirdParty", "first-party", "session recent"},
	{"klaro by service, without a refusal", "klaro", klaro("groupByPurpose: false, hideDeclineAll: true"), `<a href="#" onclick="return klaro.show();">Cookies</a>`, klaroState, "session", "session matomo recent vimeo", "matomo recent vimeo", "Vimeo", "session vimeo"},
	{"klaro as a dialog, one service of a purpose", "klaro", klaro("mustConsent: true"), "", klaroState, "session", "session matomo recent vimeo", "statistics firstParty thirdParty", "Matomo", "session matomo"},
	{"klaro's notice as a dialog, without accept all", "klaro", klaro("noticeAsModal: true"), "", klaroState, "session", "session matomo recent vimeo", "statistics firstParty thirdParty", "statistics", "session matomo"},

	{"tarteaucitron", "tarteaucitron", tac(), "", tacState, "", "statistics recent player", "analytic other video", "audience-measurement", "statistics"},
	{"tarteaucitron by service", "tarteaucitron", tac("groupServices=false", "orientation=bottom"), "", tacState, "", "statistics recent player", "statistics recent player", "embedded-media", "player"},
	{"tarteaucitron without a refusal in the banner, nor an icon", "tarteaucitron", tac("DenyAllCta=false", "showIcon=false"), "", tacState, "", "statistics recent player", "analytic other video", "embedded-media", "player"},
	{"tarteaucitron with settings alone, one service of a group", "tarteaucitron", tac("AcceptAllCta=false", "orientation=popup"), "", tacState, "", "statistics recent player", "analytic other video", "Vimeo", "player"},

	{"orejime", "orejime", orejime("standard-en", ""), "", orejimeState, "necessary", "necessary statistics first-party third-party", "statistics first-party third-party", "statistics", "necessary statistics"},
	{"orejime as a dialog", "orejime", orejime("standard-fr", "forceModal: true"), `<button onclick="orejime.prompt()">Cookies</button>`, orejimeState, "necessary", "necessary statistics first-party third-party", "statistics first-party third-party", "firstParty", "necessary first-party"},
	{"orejime in the state's design", "orejime", orejime("dsfr-fr", ""), "", orejimeState, "necessary", "necessary statistics first-party third-party", "statistics first-party third-party", "third-party", "necessary third-party"},
}

func serve(t *testing.T, head, body string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/npm/", http.StripPrefix("/npm/", http.FileServer(packages(t))))
	pages := http.FileServer(http.Dir("../../../dev/bench/pages"))
	mux.Handle("/pages/", http.StripPrefix("/pages/", pages))
	mux.HandleFunc("/pages/tarteaucitron.js", func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		http.StripPrefix("/pages/", pages).ServeHTTP(recorder, r)
		lines := strings.Split(recorder.Body.String(), "\n")
		for name, values := range r.URL.Query() {
			for i, line := range lines {
				if strings.HasPrefix(strings.TrimSpace(line), name+":") {
					value := values[0]
					if value != "false" {
						value = `"` + value + `"`
					}
					lines[i] = name + ": " + value + ","
				}
			}
		}
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, strings.Join(lines, "\n"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><html lang=en><head><meta charset=utf-8><title>Site</title><link rel=icon href='data:,'>%s</head><body><h1>Site</h1>%s</body></html>", head, body)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// A visitor has opened a page of a site.
type visitor struct {
	*testing.T
	*tab
	way  banner.Way
	site string
}

func visit(t *testing.T, site string, o banner.Options) *visitor {
	t.Helper()
	v := &visitor{T: t, tab: newTab(t), site: site}
	v.begin(t, o)
	return v
}

// begin makes the visitor a new one.
func (v *visitor) begin(t *testing.T, o banner.Options) {
	t.Helper()
	v.T = t
	v.forget(t, origin(v.site))
	require.NoError(t, v.Open(t.Context(), v.site))
	way, err := banner.Find(t.Context(), v, o)
	require.NoError(t, err)
	v.way = way
}

// kept opens another page, and returns whether the site knows the answer.
func (v *visitor) kept() bool {
	v.Helper()
	require.NoError(v, v.Open(v.Context(), v.site+"/another"))
	kept, known, err := v.way.Kept(v.Context(), v)
	require.NoError(v, err)
	require.True(v, known)
	return kept
}

func (v *visitor) allowed(state string) []string {
	v.Helper()
	var names []string
	require.NoError(v, v.Eval(v.Context(), state, &names))
	return names
}

func TestAnswersOnBannersOfOthers(t *testing.T) {
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			site := serve(t, p.head, p.body).URL
			v := &visitor{T: t, tab: newTab(t), site: site}

			t.Run("accepts and withdraws in the living page", func(t *testing.T) {
				v.begin(t, banner.Options{})
				require.Equal(t, p.product, v.way.Name())
				kept, known, err := v.way.Kept(t.Context(), v)
				require.NoError(t, err)
				assert.True(t, known && !kept, "nothing is answered")
				require.NoError(t, v.way.Accept(t.Context(), v))
				assert.True(t, v.kept())
				assert.ElementsMatch(t, strings.Fields(p.all), v.allowed(p.state))
				opened := v.documents()
				require.NoError(t, v.way.Withdraw(t.Context(), v))
				assert.Equal(t, opened, v.documents(), "the page lives on")
				assert.ElementsMatch(t, strings.Fields(p.always), v.allowed(p.state))
				assert.True(t, v.kept())
			})
			t.Run("refuses", func(t *testing.T) {
				v.begin(t, banner.Options{})
				require.NoError(t, v.way.Refuse(t.Context(), v))
				assert.ElementsMatch(t, strings.Fields(p.always), v.allowed(p.state))
				assert.True(t, v.kept())
			})
			t.Run("allows one alone", func(t *testing.T) {
				v.begin(t, banner.Options{})
				choices, err := v.way.Choices(t.Context(), v)
				require.NoError(t, err)
				assert.Equal(t, strings.Fields(p.choices), choices)
				require.NoError(t, v.way.Only(t.Context(), v, p.wanted))
				assert.ElementsMatch(t, strings.Fields(p.only), v.allowed(p.state))
				assert.True(t, v.kept())
				err = v.way.Only(t.Context(), v, "nonsense")
				assert.True(t, banner.IsCannot(err), err)
				assert.True(t, banner.IsCannot(v.way.Object(t.Context(), v)))
			})
		})
	}
}
