// Package config reads the settings of the proxy from a file in YAML.
package config

import (
	"time"

	"github.com/cookiecharter/consent/proxy/site"
)

// A File holds the settings of consentproxy.yaml.
type File struct {
	Listen  string   // the address for visitors
	Admin   string   // the address for operators: /healthz, /readyz, /metrics; "" for none
	Targets []Target // the sites behind the proxy; the first that fits a request is asked
	Trusted []string // the machines in front whose word about visitors counts
	Inject  bool     // adds the banner's script to pages
	Limits  Limits
	TLS     TLS
	Access  AccessLog
	Site    site.Config // declarations, keys, texts, charter, regimes, ledger
}

// A Target is one site behind the proxy.
type Target struct {
	Host string // for requests to this host alone; "" for any
	Path string // for requests below this path alone; "" for any
	URL  string // where the site is
}

// Limits bound what a visitor and a site may take. Zero means the default of each.
type Limits struct {
	Head     time.Duration // for the head of a request
	Idle     time.Duration // for the next request on a connection
	Piece    time.Duration // for each piece that a visitor sends or takes
	Dial     time.Duration // for a connection to the site
	Answer   time.Duration // for the head of the site's answer
	Shutdown time.Duration // for answers that are under way when the proxy stops
}

// TLS says how visitors come by https: by files, or by certificates that are asked for.
type TLS struct {
	Certificate, Key string // files in PEM
	ACME             ACME
}

// ACME says from whom certificates are asked for (RFC 8555).
type ACME struct {
	Hosts     []string // of the site; none means no ACME
	Email     string   // for the authority
	Directory string   // the authority's address; "" for Let's Encrypt
	Cache     string   // the folder in which certificates and the account's key stay
}

// An AccessLog says what is logged of each request.
type AccessLog struct {
	Form string // "text" or "json"; "" for no access log
}
