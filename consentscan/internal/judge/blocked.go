package judge

// blockedReason says why a browser takes no cookie, by Chromium's own word for it
// (Chrome DevTools Protocol, Network.SetCookieBlockedReason).
func blockedReason(reason string) string {
	if text, ok := blockedReasons[reason]; ok {
		return text
	}
	return "it says " + quote(reason)
}

var blockedReasons = map[string]string{
	"SecureOnly":                               "it is Secure, and came without TLS",
	"SameSiteStrict":                           "it is SameSite=Strict, and came with a request from another site",
	"SameSiteLax":                              "it is SameSite=Lax, and came with a request from another site",
	"SameSiteUnspecifiedTreatedAsLax":          "it has no SameSite, which means Lax, and came with a request from another site",
	"SameSiteNoneInsecure":                     "it is SameSite=None, and not Secure",
	"UserPreferences":                          "the browser's settings forbid it",
	"ThirdPartyPhaseout":                       "the browser takes no cookies of third parties",
	"SyntaxError":                              "the line cannot be read",
	"SchemeNotSupported":                       "the scheme of its address has no cookies",
	"OverwriteSecure":                          "it came without TLS, and would replace a Secure one",
	"InvalidDomain":                            "its Domain is not the host's, or is a public suffix",
	"InvalidPrefix":                            "its name begins with __Secure- or __Host-, and its attributes are not those that this asks for",
	"UnknownError":                             "the browser does not say why",
	"SchemefulSameSiteStrict":                  "it is SameSite=Strict, and came with a request from the same site with another scheme",
	"SchemefulSameSiteLax":                     "it is SameSite=Lax, and came with a request from the same site with another scheme",
	"SchemefulSameSiteUnspecifiedTreatedAsLax": "it has no SameSite, which means Lax, and came with a request from the same site with another scheme",
	"NameValuePairExceedsMaxSize":              "its name and value are longer than 4096 bytes",
	"DisallowedCharacter":                      "it holds a control character",
	"NoCookieContent":                          "it has neither a name nor a value",
}
