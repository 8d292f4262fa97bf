package consent

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/visitor"
)

// A Regime is the law that applies to a request: what is presumed of a visitor who
// has not answered. What they have answered counts under every regime, but for one
// thing: a yes for what the regime had presumed may be a box that was ticked already,
// and counts only under a regime that presumes as much. The zero Regime is OptIn.
type Regime uint8

const (
	// OptIn presumes nothing (Directive 2002/58/EC, article 5(3)).
	OptIn Regime = iota

	// UK presumes [Statistics], [AudienceMeasurement] and [Appearance], until the
	// visitor objects, and nothing else (Privacy and Electronic Communications Regulations 2003,
	// schedule A1, paragraphs 5 and 6). That is for a site's own statistics, which
	// nobody else uses: declare others as [ThirdParty]. Visitors must have clear
	// information, and a simple way to object; the charter draws both.
	UK

	// OptOut presumes everything. A request with "Sec-GPC: 1" refuses [ThirdParty],
	// [Advertising] and [SocialNetworks] by it (Global Privacy Control, "Legal Effects"; California Code of Regulations,
	// title 11, section 7025), until the visitor answers otherwise.
	OptOut

	// NoRegime presumes everything, and asks nobody.
	NoRegime
)

var regimeNames = [visitor.Regimes]string{OptIn: "opt-in", UK: "uk", OptOut: "opt-out", NoRegime: "none"}

// String returns "opt-in", "uk", "opt-out" or "none".
func (r Regime) String() string {
	if int(r) < len(regimeNames) {
		return regimeNames[r]
	}
	return fmt.Sprintf("Regime(%d)", uint8(r))
}

// MarshalText returns what [Regime.String] does; the error is for a value that is
// none of the constants.
func (r Regime) MarshalText() ([]byte, error) {
	if int(r) >= len(regimeNames) {
		return nil, fmt.Errorf("consent: there is no regime %d", uint8(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what [Regime.MarshalText] returns.
func (r *Regime) UnmarshalText(text []byte) error {
	i := slices.Index(regimeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("consent: %q is no regime; want one of %s", text, strings.Join(regimeNames[:], ", "))
	}
	*r = Regime(i)
	return nil
}

// ByCountry returns a function for [Config.Regime] that goes by the country code
// which a CDN writes into a header of each request, such as "CF-IPCountry" or
// "CloudFront-Viewer-Country". A country that regimes does not hold is OptIn, and so
// is a request with no such header or with several. Make sure that the CDN removes a
// header of this name that a visitor sends.
//
//	Regime: consent.ByCountry("CF-IPCountry", map[string]consent.Regime{
//		"GB": consent.UK,
//		"US": consent.OptOut,
//	}),
func ByCountry(header string, regimes map[string]Regime) func(*http.Request) Regime {
	byCode := make(map[string]Regime, len(regimes))
	for code, regime := range regimes {
		byCode[strings.ToUpper(code)] = regime
	}
	return func(r *http.Request) Regime {
		codes := r.Header.Values(header)
		if len(codes) != 1 {
			return OptIn
		}
		return byCode[strings.ToUpper(strings.TrimSpace(codes[0]))]
	}
}

// Presumes reports whether the regime allows a category that needs consent until the
// visitor refuses it. gpc says that their browser sends "Sec-GPC: 1". A yes for such a
// category may be a box that was ticked already: it is no consent that somebody can show.
func (r Regime) Presumes(category Category, gpc bool) bool {
	return presumption(visitor.Law{Regime: uint8(r), GPC: gpc}, string(category)) == policy.Presumed
}

// presumption is the rule: what a law makes of a category for which nobody has
// answered.
func presumption(law visitor.Law, category string) policy.Answer {
	c := Category(category)
	switch Regime(law.Regime) {
	case UK:
		if c == Statistics || c == AudienceMeasurement || c == Appearance {
			return policy.Presumed
		}
		return policy.Open
	case OptOut:
		if law.GPC && (c == ThirdParty || c == Advertising || c == SocialNetworks) {
			return policy.NoByGPC
		}
		return policy.Presumed
	case NoRegime:
		return policy.Presumed
	default:
		return policy.Open
	}
}

// lawOf returns the law that holds for a request.
func (m *Middleware) lawOf(r *http.Request) visitor.Law {
	if m.regime == nil {
		return visitor.Law{HeldBack: m.filter.ExpireUndecided && m.holdsBack(r)}
	}
	regime := m.regime(r)
	if int(regime) >= len(regimeNames) {
		regime = OptIn
	}
	return visitor.Law{Regime: uint8(regime), GPC: sendsGPC(r), HeldBack: m.holdsBack(r)}
}

// sendsGPC reports whether the browser sends Global Privacy Control. Of several
// values one is enough ("The Sec-GPC Header Field for HTTP Requests").
func sendsGPC(r *http.Request) bool { return slices.Contains(r.Header["Sec-Gpc"], "1") }

// holdsBack reports whether the browser may have a decision that it does not send
// with this request, as it does with a cookie that says SameSite=Lax (RFC 6265bis
// section 5.8.3): from another site it sends that only if the visitor goes to the
// page, and by a safe method. One that says SameSite=None and Partitioned lies in
// another jar in frames of other sites, and goes everywhere else.
func (m *Middleware) holdsBack(r *http.Request) bool {
	destination := first(r.Header["Sec-Fetch-Dest"])
	if slices.Contains(frames, destination) || len(r.Header["Sec-Fetch-Storage-Access"]) > 0 {
		return true // a page around it may be another site's, even if the request comes from the frame itself
	}
	lax := !m.framed && !slices.Contains(safe, r.Method)
	switch first(r.Header["Sec-Fetch-Site"]) {
	case "cross-site":
		return lax || destination != "document"
	case "": // an old browser, or plain http
		origin := first(r.Header["Origin"])
		_, host, _ := strings.Cut(origin, "://")
		return lax && origin != "" && !strings.EqualFold(host, r.Host)
	default:
		return false
	}
}

var (
	frames = []string{"iframe", "frame", "embed", "object", "fencedframe"}
	safe   = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace} // RFC 9110 section 9.2.1
)

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
