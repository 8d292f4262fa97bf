// Package consentcaddy is a module for Caddy v2 that puts consent in front of the sites which
// Caddy serves: no cookie that needs consent reaches the browser of a visitor who has not
// given it, and the same declarations draw the banner, the form and the cookie charter.
//
//	example.org {
//		consent {
//			declarations cookies.yaml
//			key {env.CONSENT_KEY}
//			inject
//		}
//		reverse_proxy localhost:8000
//	}
//
// The handler http.handlers.consent holds the settings; in a Caddyfile the directive
// "consent" writes them. The README has a table of all options.
package consentcaddy

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/cookiecharter/consent"
)

// Caddy knows its modules by what their packages say when a program begins.
func init() {
	caddy.RegisterModule(new(Handler))
	caddy.RegisterModule(new(app))
	httpcaddyfile.RegisterHandlerDirective("consent", parseCaddyfile)
	// Before "header", since that changes cookies too, and before whatever answers or
	// rewrites: the charter's path is the one that visitors see.
	httpcaddyfile.RegisterDirectiveOrder("consent", httpcaddyfile.Before, "header")
}

// A Handler filters the cookies of the handlers after it by the visitor's consent, and
// answers below the charter's path itself. Declarations and a key are required; every other
// field's zero value is right for a site on https. Files are looked for in Caddy's working
// directory. Texts may hold placeholders such as {env.CONSENT_KEY}, which are replaced when
// the configuration is loaded.
type Handler struct {
	// Declarations is the path of a file in YAML or JSON: see package declare of the module
	// proxy. Required.
	Declarations string `json:"declarations,omitempty"`

	// Keys sign decisions: the first signs, all verify. Each has at least 32 bytes and no
	// blanks; a placeholder may stand for several, apart by blanks or lines. Required, here
	// or in KeysFile, unless Insecure says that this is development: then a key is made that
	// lasts as long as Caddy runs.
	Keys []string `json:"keys,omitempty"`

	// KeysFile is the path of a file of keys, one per line, which come before those in Keys.
	KeysFile string `json:"keys_file,omitempty"`

	// Inject adds the script that asks visitors to the head of HTML pages.
	Inject bool `json:"inject,omitempty"`

	// ReportOnly changes nothing, and logs what would become of each cookie.
	ReportOnly bool `json:"report_only,omitempty"`

	// AllowUndeclared lets cookies pass that nobody declared.
	AllowUndeclared bool `json:"allow_undeclared,omitempty"`

	// ExpireUndecided also expires what visitors have not answered for yet.
	ExpireUndecided bool `json:"expire_undecided,omitempty"`

	// Insecure keeps decisions on plain http too, for development.
	Insecure bool `json:"insecure,omitempty"`

	// Lifetime is how long a decision stands, in whole seconds. Zero means 180 days.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`

	// Revision asks every visitor again when it is raised.
	Revision uint64 `json:"revision,omitempty"`

	// CookieName is the name of the cookie that holds the decision. Empty means
	// "cookies_preferences".
	CookieName string `json:"cookie_name,omitempty"`

	// FormerCookieName is the name that the cookie had before. Empty means none.
	FormerCookieName string `json:"former_cookie_name,omitempty"`

	// CookiePath is the Path of the cookie. Empty means "/".
	CookiePath string `json:"cookie_path,omitempty"`

	// Domain is the Domain of the cookie, for a decision that all hosts below it share.
	// Empty means the host alone.
	Domain string `json:"domain,omitempty"`

	// Path is where the charter is. Empty means "/cookies/".
	Path string `json:"path,omitempty"`

	// Prefix is the beginning of the path that was taken off before this handler, such as
	// by handle_path. Empty means none.
	Prefix string `json:"prefix,omitempty"`

	// Name is the name of the site. Empty means "this site", in each language.
	Name string `json:"name,omitempty"`

	// PolicyURL is the address of the site's privacy policy. Empty means none.
	PolicyURL string `json:"policy_url,omitempty"`

	// Updated is the day of the charter's last change, such as 2026-11-26. Empty says nothing.
	Updated string `json:"updated,omitempty"`

	// Layout is the form and the place of the banner: bar, top-bar, box, top-box or card.
	// Empty means bar.
	Layout string `json:"layout,omitempty"`

	// Button adds a button to the settings to each page, once the visitor has decided.
	Button bool `json:"button,omitempty"`

	// Language is the language of the site, for visitors whose languages have no texts.
	// Empty means "en".
	Language string `json:"language,omitempty"`

	// LanguageCookie is the name of the cookie in which the site keeps the language that a
	// visitor has chosen. Empty means none.
	LanguageCookie string `json:"language_cookie,omitempty"`

	// Languages is the path of a folder with texts of the site's own: fr.json changes
	// sentences in French. Empty means none.
	Languages string `json:"languages,omitempty"`

	// Style is the path of a style sheet in place of the library's. Empty means the library's.
	Style string `json:"style,omitempty"`

	// Categories describe categories of the site's own, and may describe the library's.
	Categories map[consent.Category]Category `json:"categories,omitempty"`

	// Signals are the tags of others that are told what the visitor has decided: google,
	// microsoft, clarity, meta, tiktok, matomo, matomo-cookies, piano, posthog or adobe.
	Signals []string `json:"signals,omitempty"`

	// Guard says under which names scripts can store nothing: "declared" for those that are
	// declared, until the visitor allows them, or "all". Empty means that they can.
	Guard string `json:"guard,omitempty"`

	// GPCSince is the day since when the site honors Global Privacy Control. Empty says
	// nothing.
	GPCSince string `json:"gpc_since,omitempty"`

	// Regime is the law that applies to a request: opt-in, uk, opt-out or none. Left out, it
	// is opt-in.
	Regime consent.Regime `json:"regime,omitempty"`

	// RegimeHeader is the header of requests by which another law is known, such as
	// "CF-IPCountry". It counts only from a proxy that the server's trusted_proxies name,
	// which must remove a visitor's own. Empty means that Regime holds for all.
	RegimeHeader string `json:"regime_header,omitempty"`

	// Regimes hold the law for each value of RegimeHeader.
	Regimes map[string]consent.Regime `json:"regimes,omitempty"`

	// Ledger is where proof of each decision is kept: the path of a file, or the postgres://
	// address of a server. Empty means that none is. Handlers with the same ledger share it.
	Ledger string `json:"ledger,omitempty"`

	// LedgerKeys seal the records, as Keys sign. Left out, they are not sealed.
	LedgerKeys []string `json:"ledger_keys,omitempty"`

	// LedgerKeysFile is the path of a file of such keys, which come first.
	LedgerKeysFile string `json:"ledger_keys_file,omitempty"`

	// LedgerSpool is the folder for refusals that wait for the database. Empty means one of
	// the ledger's own.
	LedgerSpool string `json:"ledger_spool,omitempty"`

	// LedgerRetention is how long a record is kept, at least 210 days and longer than a
	// decision stands. Zero keeps all for ever.
	LedgerRetention caddy.Duration `json:"ledger_retention,omitempty"`

	// LedgerWait is how long Caddy waits for a database that does not answer when it starts,
	// before it starts without it. Zero means 5 seconds.
	LedgerWait caddy.Duration `json:"ledger_wait,omitempty"`

	// LedgerController is the path of a JSON file that says who answers for the records: see
	// ledger.ReadIssuer. With it, visitors can read what is recorded of their decisions, and
	// take a receipt with them. Empty means that they cannot.
	LedgerController string `json:"ledger_controller,omitempty"`

	*running // nil before it is provisioned
}

// A Category is a category in the visitors' words.
type Category struct {
	// Title is a word or two. Required for a category of the site's own, like About.
	Title consent.Text `json:"title,omitempty"`

	// About is one sentence: what the category covers.
	About consent.Text `json:"about,omitempty"`

	// For says what for, in a few words that follow "it uses others", such as "to offer you
	// a chat". Empty means the title in quotes.
	For consent.Text `json:"for,omitempty"`
}

// CaddyModule returns what Caddy knows the handler by: http.handlers.consent.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.consent", New: func() caddy.Module { return new(Handler) }}
}

var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
