// Package config reads the settings of the proxy from a file in YAML, consentproxy.yaml. It
// finds every mistake at once, each with its line and its path.
package config

import (
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// Schema is the address of the JSON Schema of the file, by which editors check it.
const Schema = "https://raw.githubusercontent.com/cookiecharter/consent/main/proxy/schema/consentproxy.schema.json"

// A File is what the file says: each field by its name with a small first letter. Paths of
// other files begin at the folder of the file. Fields that are left out have the zero value,
// and what that means is said here.
type File struct {
	// Schema is the address of the JSON Schema, for editors.
	Schema string `json:"$schema,omitempty"`

	// Listen is the address for visitors. Empty means "localhost:8080".
	Listen string

	// Admin is the address for operators: /healthz, /readyz and /metrics. Empty means none.
	Admin string

	// Targets are the sites behind the proxy. Of those that fit a request, the one with a
	// host comes first, then the one with the longest path. Required.
	Targets []Target

	// Trusted are the machines in front of the proxy whose word about visitors counts:
	// addresses such as "10.0.0.7" and ranges such as "10.1.0.0/16". Empty trusts nobody.
	Trusted []string

	// Believed are those headers of the trusted machines that count: X-Forwarded-For,
	// X-Forwarded-Proto and X-Forwarded-Host, or Forwarded alone. Name only what they set
	// themselves. Empty means X-Forwarded-For and X-Forwarded-Proto.
	Believed []string

	// Inject adds the script that asks visitors to the head of HTML pages.
	Inject bool

	// ReportOnly changes nothing, and logs what would become of each cookie.
	ReportOnly bool

	// AllowUndeclared lets cookies pass that nobody declared.
	AllowUndeclared bool

	// ExpireUndecided also expires what visitors have not answered for yet.
	ExpireUndecided bool

	// Insecure keeps decisions on plain http too, for development. Then Keys may be left out.
	Insecure bool

	// Keys sign decisions: the first signs, all verify. Required, unless Insecure says that
	// this is development: then a key is made for this run alone.
	Keys Keys

	// Declarations are the path of a file in YAML or JSON, or stand here, as an object with
	// "cookies" and "providers". Required.
	Declarations string

	// Decision says how the decision of a visitor is kept.
	Decision Decision

	// Charter says what visitors read.
	Charter Charter

	// Regimes say which law applies to a request. Left out, it is opt-in for all.
	Regimes Regimes

	// Ledger says where proof of each decision is kept. Left out, none is.
	Ledger Ledger

	// Limits bound what visitors and sites may take.
	Limits Limits

	// TLS says how visitors come by https. Left out, they come by http.
	TLS TLS `json:"tls,omitempty"`

	// Log says what standard error gets.
	Log Log
}

// A Target is one site behind the proxy.
type Target struct {
	// Host is the host of requests for this site, without a port. Empty means any.
	Host string

	// Path is the path of requests for this site, which are those to it and below it. Empty
	// means any.
	Path string

	// To is the address of the site: http://, https:// or, for HTTP/2 without TLS, h2c://,
	// with a host and a port. Required.
	To string
}

// Keys say where secret keys are. Both may be given; those of the file come first.
type Keys struct {
	// File is the path of a file with the keys, one per line, each at least 32 bytes long.
	File string

	// Env is the name of an environment variable with the keys, apart by blanks or lines.
	Env string
}

// A Decision says how the decision of a visitor is kept.
type Decision struct {
	// Lifetime is how long a decision stands, such as "6 months". Left out, 180 days.
	Lifetime time.Duration

	// Revision asks every visitor again when it is raised.
	Revision uint64

	// CookieName is the name of the cookie. Empty means "cookies_preferences".
	CookieName string

	// FormerCookieName is the name that the cookie had before. Empty means none.
	FormerCookieName string

	// CookiePath is the Path of the cookie. Empty means "/".
	CookiePath string

	// Domain is the Domain of the cookie, for a decision that all hosts below it share.
	// Empty means the host alone.
	Domain string
}

// A Charter says what visitors read.
type Charter struct {
	// Path is where the charter is. Empty means "/cookies/".
	Path string

	// Prefix is the beginning of the path that a proxy in front takes off. Empty means none.
	Prefix string

	// Name is the name of the site. Empty means "this site", in each language.
	Name string

	// PolicyURL is the address of the site's privacy policy. Empty means none.
	PolicyURL string

	// Updated is the day of the charter's last change, such as 2026-11-26. Empty says nothing.
	Updated string

	// Layout is the form and the place of the banner: bar, top-bar, box, top-box or card.
	// Empty means bar.
	Layout charter.Layout

	// Button adds a button to the settings to each page, once the visitor has decided.
	Button bool

	// Language is the language of the site, for visitors whose languages have no texts.
	// Empty means "en".
	Language string

	// LanguageCookie is the name of the cookie in which the site keeps the language that a
	// visitor has chosen, such as "django_language". Empty means none.
	LanguageCookie string

	// Languages is the path of a folder with texts of the site's own: fr.json changes
	// sentences in French. Empty means none.
	Languages string

	// Categories describe categories of the site's own, and may describe the library's.
	Categories map[consent.Category]charter.Category

	// Signals are the tags of others that are told what the visitor has decided: google,
	// microsoft, clarity, meta, tiktok, matomo, matomo-cookies, piano, posthog or adobe.
	// With them, the script "head.js" below the charter's path comes before the others.
	Signals []string

	// Guard says under which names scripts can store nothing: "declared" for those that are
	// declared, until the visitor allows them, or "all". Empty means that they can.
	Guard string

	// GPCSince is the day since when the site honors Global Privacy Control. Empty says
	// nothing.
	GPCSince string `json:"gpcSince,omitempty"`

	// Style is the path of a style sheet in place of the library's. Empty means the library's.
	Style string
}

// Regimes say which law applies to a request: opt-in, uk, opt-out or none.
type Regimes struct {
	// Header is the header of requests by which the law is known, such as "CF-IPCountry".
	// It counts only from a machine in Trusted, which must remove a visitor's own. Empty
	// means that Default holds for all.
	Header string

	// Default is the law of every other request. Left out, it is opt-in.
	Default consent.Regime

	// Values hold the law for each value of the header, such as "US-CA: opt-out".
	Values map[string]consent.Regime
}

// A Ledger says where proof of each decision is kept.
type Ledger struct {
	// URL is the path of a file, or the postgres:// address of a server. Empty means that
	// none is kept, unless Env names one.
	URL string `json:"url,omitempty"`

	// Env is the name of an environment variable with the URL, which may hold a password.
	Env string

	// Keys seal the records. Left out, they are not sealed.
	Keys Keys

	// Spool is the folder for refusals that wait for the database. Empty means one of its own.
	Spool string

	// Controller is the path of a JSON file that says who answers for the records. With it,
	// visitors can read what is recorded of their decisions, and take a receipt with them.
	// Empty means that they cannot.
	Controller string

	// Retention is how long a record is kept, such as "3 years", at least 210 days and longer
	// than a decision stands. Left out, all are kept for ever.
	Retention time.Duration

	// Wait is how long the start waits for a database that does not answer. Then visitors are
	// served, refusals wait, and consents fail until it does. Left out, 5 seconds.
	Wait time.Duration
}

// Limits bound what visitors and sites may take, such as "30 seconds". What is left out has
// its default.
type Limits struct {
	// Head is for the head of a request. Left out, 10 seconds.
	Head time.Duration

	// Idle is for the next request on a connection. Left out, 2 minutes.
	Idle time.Duration

	// Piece is for each piece that a visitor sends or takes. Left out, 1 minute.
	Piece time.Duration

	// Dial is for a connection to the site. Left out, 10 seconds.
	Dial time.Duration

	// Answer is for the head of the site's answer. Left out, 1 minute.
	Answer time.Duration

	// Grace is for everything that is under way when the proxy stops. Left out, 25 seconds.
	Grace time.Duration
}

// TLS says how visitors come by https: with a certificate in files, or with certificates
// that the proxy asks an authority for.
type TLS struct {
	// Certificate and Key are the paths of files in PEM. They are read anew when they change.
	Certificate string
	Key         string

	// ACME asks for certificates.
	ACME ACME `json:"acme,omitempty"`

	// Redirect is an address, such as ":80", on which visitors who come by http are sent to
	// https. Empty means none.
	Redirect string
}

// ACME says from whom certificates are asked for (RFC 8555).
type ACME struct {
	// Hosts are those of the site. Empty means that no certificate is asked for.
	Hosts []string

	// Email is where the authority writes to. Empty means nowhere.
	Email string

	// Directory is the address of the authority. Empty means Let's Encrypt.
	Directory string

	// Cache is the path of the folder that keeps certificates and keys. Required with Hosts.
	Cache string
}

// A Log says what standard error gets.
type Log struct {
	// Format is "text" or "json". Empty means "text".
	Format string

	// Access adds a line for each request, without cookies.
	Access bool

	// Queries adds the query string to these lines, which may hold personal data.
	Queries bool

	// WholeAddresses adds the whole address of the visitor, which is personal data. Otherwise
	// it is cut to its network: 24 bits of IPv4, 48 of IPv6.
	WholeAddresses bool
}
