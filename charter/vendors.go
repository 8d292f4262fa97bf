package charter

import (
	"embed"
	"encoding/json"
	"time"

	"github.com/cookiecharter/consent"
)

//go:embed signals/*.min.js
var signalCalls embed.FS

// call returns the function that tells a tag, from the folder signals.
func call(name string) string {
	content, err := signalCalls.ReadFile("signals/" + name + ".min.js")
	if err != nil {
		panic(err) // cannot happen: it is embedded
	}
	return string(content)
}

// Usual needs. Of the categories of each count those in which something that the site
// declares asks for consent. FirstParty and ThirdParty are needed too, and never enough: see
// saysPurpose.
var (
	measuring   = []consent.Category{consent.Statistics, consent.AudienceMeasurement}
	advertising = []consent.Category{consent.Advertising, consent.ThirdParty}
)

// Google returns the signal of Google's tags, Consent Mode v2, with all of its seven words
// (Google, "Set up consent mode on websites" and "Consent mode reference").
//
// Each page pushes the command "default" into dataLayer, and "update" once there is a
// decision, or a law that allows something without one; after each "update" follows the
// event "consent_update", for triggers of Google Tag Manager.
//
// The words about ads need Advertising, analytics_storage needs Statistics and
// AudienceMeasurement, personalization_storage needs Personalisation, and
// functionality_storage Appearance: each of them that is declared and asks for consent. A
// word is denied if none is. security_storage is always granted.
//
// Each of them has to be allowed as a whole, as containers of Google Tag Manager hold tags of
// others by the same words. And in one of them something of Google's own has to be declared,
// but for FirstParty and ThirdParty: a provider or a service whose name begins with "Google" or
// "DoubleClick", such as "Google Ads". A yes to Meta alone tells Google nothing. So it is with
// the other signals of this package, each by the names of its vendor, but those of [Matomo] and
// [PostHog], which a site may run under a name of its own. A site that declares something
// under another name says by [Signal.With] what a word needs; [New] logs a warning if no word
// can be granted.
//
// If something is declared in ThirdParty, the words about ads need that as well, and the last
// two need FirstParty. Alone these grant nothing: who has allowed a video in ThirdParty has not
// allowed ads. A site that declares its ads in ThirdParty says so by [Signal.With].
func Google() Signal {
	return Signal{Name: google, vendor: []string{"Google", "DoubleClick"}, Call: call("google"), usual: map[string][]consent.Category{
		"ad_storage":              advertising,
		"ad_user_data":            advertising,
		"ad_personalization":      advertising,
		"analytics_storage":       measuring,
		"functionality_storage":   {consent.Appearance, consent.FirstParty},
		"personalization_storage": {consent.Personalisation, consent.FirstParty},
		"security_storage":        {},
	}}
}

const google = "google"

// GoogleOptions are what the tags of Google can be told beyond the decision, for sites that
// load them before there is one (Google, "Set up consent mode on websites").
type GoogleOptions struct {
	// Wait is how long tags wait for an "update" (wait_for_update), for pages on which the
	// decision comes from elsewhere, and late. Zero means that they do not.
	Wait time.Duration

	// Regions are those of ISO 3166-2, such as "US-CA", to which "default" applies. Elsewhere
	// Google takes everything as granted. Nil means everywhere: the server knows the law of
	// each visitor.
	Regions []string

	// RedactAds takes identifiers of clicks on ads out of what is sent without ad_storage
	// (ads_data_redaction).
	RedactAds bool

	// PassThrough carries such identifiers in the addresses of the site's links if they may
	// not be stored (url_passthrough).
	PassThrough bool
}

// GoogleWith is [Google] with options.
func GoogleWith(options GoogleOptions) Signal {
	more, settings := make(map[string]any), make(map[string]bool)
	if options.Wait > 0 {
		more["wait_for_update"] = options.Wait.Milliseconds()
	}
	if len(options.Regions) > 0 {
		more["region"] = options.Regions
	}
	if options.RedactAds {
		settings["ads_data_redaction"] = true
	}
	if options.PassThrough {
		settings["url_passthrough"] = true
	}
	arguments, err := json.Marshal([]any{more, settings})
	if err != nil {
		panic(err) // cannot happen for these types
	}
	s := Google()
	s.Call = "(" + call("google-options") + ")(..." + string(arguments) + ")"
	return s
}

// Microsoft returns the signal of Microsoft Advertising's UET tag (Microsoft, "Universal
// Event Tracking consent mode"). Its word ad_storage has the usual needs of [Google].
func Microsoft() Signal {
	return Signal{Name: "microsoft", vendor: []string{"Microsoft", "Bing"}, Call: call("microsoft"), usual: map[string][]consent.Category{"ad_storage": advertising}}
}

// Clarity returns the signal of Microsoft Clarity, by its command "consentv2" (Microsoft,
// "Clarity Consent API v2"). Its words ad_Storage and analytics_Storage have the usual needs
// of [Google].
func Clarity() Signal {
	return Signal{Name: "clarity", vendor: []string{"Microsoft", "Clarity"}, Call: call("clarity"), usual: map[string][]consent.Category{"ad_Storage": advertising, "analytics_Storage": measuring}}
}

// Meta returns the signal of the Meta pixel, which is told "revoke" before its "init", and
// "grant" (Meta, "General Data Protection Regulation", in the documentation of the pixel).
// Its word is consent; it has the usual needs of ad_storage: see [Google].
func Meta() Signal {
	return Signal{Name: "meta", vendor: []string{"Meta", "Facebook", "Instagram"}, Call: call("meta"), usual: map[string][]consent.Category{"consent": advertising}}
}

// TikTok returns the signal of the TikTok pixel: holdConsent before anything else,
// grantConsent and revokeConsent (TikTok, "Cookie consent", in the documentation of the
// pixel). Its word is consent; it has the usual needs of ad_storage: see [Google].
func TikTok() Signal {
	return Signal{Name: "tiktok", vendor: []string{"TikTok"}, Call: call("tiktok"), usual: map[string][]consent.Category{"consent": advertising}}
}

// Matomo returns the signal by which Matomo sends nothing without consent: requireConsent
// first, setConsentGiven and forgetConsentGiven (Matomo, "Implementing tracking or cookie
// consent with the Matomo JavaScript Tracking Client"). Its word is consent; it needs
// Statistics and AudienceMeasurement.
func Matomo() Signal {
	return Signal{Name: "matomo", vendor: anybody, Call: call("matomo"), usual: map[string][]consent.Category{"consent": measuring}}
}

// MatomoCookies is [Matomo] for a site on which Matomo may measure without cookies before
// there is consent: requireCookieConsent, setCookieConsentGiven and
// forgetCookieConsentGiven. Its word is cookies.
func MatomoCookies() Signal {
	return Signal{Name: "matomo", vendor: anybody, Call: call("matomo-cookies"), usual: map[string][]consent.Category{"cookies": measuring}}
}

// Piano returns the signal of Piano Analytics from 6.8 on, which is in the mode "opt-out" but
// for consent.setMode (Piano, "Consent management"). Its word is consent; it needs Statistics
// and AudienceMeasurement. Piano's queue and Matomo's have one name, _paq: a page with both
// needs another queueVarName for Piano, and a Signal of its own.
func Piano() Signal {
	return Signal{Name: "piano", vendor: []string{"Piano", "AT Internet"}, Call: call("piano"), usual: map[string][]consent.Category{"consent": measuring}}
}

// PostHog returns the signal of PostHog's snippet: opt_in_capturing and opt_out_capturing
// (PostHog, "Controlling data collection"). A page that loads it before there is consent has
// to set opt_out_capturing_by_default in its posthog.init. Its word is consent; it needs
// Statistics and AudienceMeasurement.
func PostHog() Signal {
	return Signal{Name: "posthog", vendor: anybody, Call: call("posthog"), usual: map[string][]consent.Category{"consent": measuring}}
}

// Adobe returns the signal of the Adobe Experience Platform Web SDK, alloy: it is configured
// with the defaultConsent "pending", unless the page says otherwise, and told by setConsent,
// in the standard Adobe 1.0 (Adobe, "setConsent" and "defaultConsent"). Its word is general;
// it has the usual needs of analytics_storage and of ad_storage: see [Google].
func Adobe() Signal {
	return Signal{Name: "adobe", vendor: []string{"Adobe"}, Call: call("adobe"), usual: map[string][]consent.Category{"general": append(measuring[:2:2], advertising...)}}
}
