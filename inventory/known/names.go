package main

import "strings"

// categories maps those of the data to ours. "Functional" and "Necessary" there
// are what a product needs to work as its maker likes, not what the law exempts,
// and "Security" guards its maker too: nothing is exempt by its category, only
// what the list called necessary names. Analytics are not known to be anonymous.
var categories = map[string]string{
	"Analytics":       "statistics",
	"Functional":      "first-party",
	"Marketing":       "third-party",
	"Necessary":       "first-party",
	"Personalization": "first-party",
	"Security":        "first-party",
}

// purposes maps the categories of the data to what a cookie is for, if they say it:
// "Functional" and "Security" do not. Analytics are in "statistics", which is a purpose
// already, and the only category in which a site can say that they are anonymous.
var purposes = map[string]string{
	"Marketing":       "advertising",
	"Personalization": "personalisation",
}

// products have one purpose: what they set serves what they bring into the page,
// whatever category the data has for it.
var products = platforms(map[string]string{
	"chat":            "Belco, Crisp, Drift, Intercom, Live helper chat, LiveChat, Livechat, LiveZilla GmbH, SnapEngage, Tawk.to, Tawk.to Chat",
	"embedded-media":  "Google Maps, Issuu, Snapwidget, Spotify, Twitch, Vimeo, Wistia, Youtube",
	"social-networks": "Disqus, ShareThis",
})

// networks are social networks, for what the data has no purpose for. What it calls
// Marketing is their advertising on other sites.
var networks = platforms(map[string]string{
	"social-networks": "Facebook, Instagram, LinkedIn, Pinterest, Reddit, Snapchat, TikTok, WhatsApp, X",
})

// platforms returns the purposes by the names of platforms, as the data spells them.
func platforms(names map[string]string) map[string]string {
	purposes := make(map[string]string)
	for purpose, list := range names {
		for name := range strings.SplitSeq(list, ", ") {
			purposes[name] = purpose
		}
	}
	return purposes
}

// necessary are the cookies that serve nothing but what the visitor asked for, as
// the CNIL's guidelines of 17 September 2020 list it (number 49): logins,
// baskets, the choice about cookies itself, the balance between servers, and the
// security of a login or a form. Most are set by software that runs on the
// site's own servers.
var necessary = words(`
	PHPSESSID __Secure-PHPSESSID JSESSIONID ASPSESSIO ASP.NET_SessionId laravel_session rack.session _rails_session
	CGISESSID CAKEPHP ci_session CraftSessionId next-auth. __Secure-next-auth.callback-url __Host-next-auth.csrf-token
	.ASPXAUTH NOPCOMMERCE.AUTH wordpress_logged_in_ KEYCLOAK_SESSION KEYCLOAK_IDENTITY AUTH_SESSION_ID
	AUTH_SESSION_ID_LEGACY KC_RESTART KC_STATE_CHECKER KC_AUTH_STATE fe_typo_user be_typo_user pmaAuth- PLESKSESSID
	xf_session xf_csrf bbsessionhash
	XSRF-TOKEN .AspNetCore.Antiforgery. __RequestVerificationToken __AntiXsrfToken CRAFT_CSRF_TOKEN CMSCsrfCookie form_key
	AWSALB AWSALBCORS AWSALBTG AWSALBTGCORS AWSELB AWSELBCORS ARRAffinity ARRAffinitySameSite
	ApplicationGatewayAffinity ApplicationGatewayAffinityCORS BIGipServer SERVERID INGRESSCOOKIE GCLB __cflb
	woocommerce_cart_hash woocommerce_items_in_cart wp_woocommerce_session_
	CookieConsent OptanonConsent OptanonAlertBoxClosed CookieScriptConsent cookieyes-consent cky-consent
	CookieLawInfoConsent viewed_cookie_policy cmplz_choice complianz_consent_status borlabs-cookie didomi_token
	axeptio_cookies axeptio_authorized_vendors cookieconsent_status cookiefirst-consent osano_consentmanager
	hu-consent moove_gdpr_popup CookieControl TC_PRIVACY _iub_cs-
`)

// misleading are names that several providers use, and that the data ascribes to one of
// them.
var misleading = words(`
	connect.sid ajs_anonymous_id ajs_user_id ajs_group_id amplitude_id euconsent-v2 usprivacy receive-cookie-deprecation
	_pk_id. _pk_ses. ASP.NET_Sessio JSESSIO
`)

// famous are names that are distinctive although they are short.
var famous = words(`_ga _ga_`)

// general are words that names on any site consist of. A name without any other word
// is nobody's in particular.
var general = words(`
	a ab access account active admin ads all anonymous api app appid auth auto browser cache callback campaign cart chat check client code
	color config consent cookie cookies country csrf currency data date debug default device dnt done email enabled error event expires
	external first flag form fonts frontend gdpr geo group guest hash has height history home host http id ids in index info init
	input inst ip is key lang language last layout level list loaded local locale location log logged login logout mark me media mode
	name new next nonce note opt optin out optout origin page partner path persistent ping pref preferences prefs presence
	previous privacy product put query recent recently recs redirect ref referer referrer remember request reset return role route saml
	save screen search secure seen server sess session sessionid set settings shop sid site sort source src sso start state status
	store style sync tab target temp test theme time timestamp timezone to token track tracking type tz uid uids uuid unique url user
	userid userlang username uuidc val value variant version view viewed viewer visit visitor visits welcome width wp
	accepted agreement alive attribution audience audit autocomplete blur comments component contact content conversion current
	customer discount euconsent europe focus functional keep landing master method no orig payment pixel player pool preview private
	ratio secret section shopping string term
`)

// narrower are the patterns of names that share more than their beginning, which is
// too general.
var narrower = map[string]string{"mp_": "mp_*_mixpanel"}

func words(s string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

// libraries are the names that Go libraries give their cookies by default, from
// their own source. The provider is the site that runs them.
var libraries = []fact{
	// cookieName and defaultAge in csrf.go, v1.7.3
	{pattern: "_gorilla_csrf", category: "necessary", lifetime: "12h", library: "gorilla/csrf", kind: "a CSRF token"},
	// CookieName and MaxAge in handler.go, v1.2.0
	{pattern: "csrf_token", category: "necessary", lifetime: "365d", library: "justinas/nosurf", kind: "a CSRF token"},
	// DefaultCSRFConfig in middleware/csrf.go, v5.4.4
	{pattern: "_csrf", category: "necessary", lifetime: "1d", library: "labstack/echo", kind: "a CSRF token"},
	// New in session.go, v2.9.0
	{pattern: "session", category: "necessary", lifetime: "1d", library: "alexedwards/scs", kind: "a session"},
}
