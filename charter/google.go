package charter

import (
	"net/http"
	"slices"

	"github.com/cookiecharter/consent"
)

// A GoogleConsent says what a visitor has decided to servers of Google, for a site that sends
// them events itself. As JSON it is the object "consent" of the Measurement Protocol of Google
// Analytics; uploads to Google Ads have the same two values (Google, "Measurement Protocol
// reference"; Google Ads API, "Consent").
type GoogleConsent struct {
	AdUserData        string `json:"ad_user_data"` // "GRANTED" or "DENIED"
	AdPersonalization string `json:"ad_personalization"`

	// GCS is the value that Google's tags send as gcs, such as "G101": whether ad_storage is
	// granted, then analytics_storage. A server-side container takes it with a forwarded
	// event.
	GCS string `json:"-"`
}

// Google returns what the visitor of r has decided, by the Google signal of
// [Config.Signals], or by [Google]. Send no event with cookies or identifiers of the visitor
// if it is denied.
func (c *Charter) Google(r *http.Request) GoogleConsent {
	prefs := consent.FromContext(r.Context())
	word := func(word string) string {
		if c.grants(prefs, c.google, word) {
			return "GRANTED"
		}
		return "DENIED"
	}
	digit := func(of string) string {
		if word(of) == "GRANTED" {
			return "1"
		}
		return "0"
	}
	return GoogleConsent{
		AdUserData:        word("ad_user_data"),
		AdPersonalization: word("ad_personalization"),
		GCS:               "G1" + digit("ad_storage") + digit("analytics_storage"),
	}
}

// googleOf returns the Google signal of a site.
func googleOf(signals []Signal) Signal {
	if i := slices.IndexFunc(signals, func(s Signal) bool { return s.Name == google }); i >= 0 {
		return signals[i]
	}
	return Google()
}

// grants reports whether the visitor allows what a word of a signal needs.
func (c *Charter) grants(prefs consent.Preferences, s Signal, word string) bool {
	needs, never := c.needsOf(s, word)
	if never {
		return false
	}
	return !slices.ContainsFunc(needs, func(need string) bool {
		category, provider := cutAllowValue(need)
		if provider != "" {
			return !prefs.AllowsProvider(category, provider)
		}
		return !prefs.Allows(category)
	})
}
