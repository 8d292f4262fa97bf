package site

import (
	"net/http"
	"strings"

	"github.com/cookiecharter/consent"
)

// Regimes say which law applies to a request, by a header that a CDN writes into it.
type Regimes struct {
	// Header is the name of the header, such as "CF-IPCountry". Empty means that the
	// default holds for every request.
	Header string

	// ByValue holds the regime for each value of the header, such as "US" or "US-CA"; upper
	// and lower case are the same.
	ByValue map[string]consent.Regime

	// Default is the regime of every other request: one without the header or with
	// several, one that nobody trusted has sent, and one with a value that ByValue does
	// not hold. Zero is [consent.OptIn].
	Default consent.Regime

	// Trusted reports whether a request comes from the machine that writes the header;
	// anybody else can write it too. Required if there is a Header.
	Trusted func(*http.Request) bool
}

// of returns the regime of a request for [consent.Config]; nil if all are under opt-in.
func (r Regimes) of() func(*http.Request) consent.Regime {
	if r.Header == "" {
		if r.Default == consent.OptIn {
			return nil
		}
		return func(*http.Request) consent.Regime { return r.Default }
	}
	byValue := make(map[string]consent.Regime, len(r.ByValue))
	for value, regime := range r.ByValue {
		byValue[strings.ToUpper(value)] = regime
	}
	return func(request *http.Request) consent.Regime {
		values := request.Header.Values(r.Header)
		if len(values) != 1 || !r.Trusted(request) {
			return r.Default
		}
		if regime, known := byValue[strings.ToUpper(strings.TrimSpace(values[0]))]; known {
			return regime
		}
		return r.Default
	}
}
