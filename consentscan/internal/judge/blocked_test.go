package judge_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

func TestEachReasonOfTheBrowserIsSaidInPlainWords(t *testing.T) {
	for _, reason := range []network.SetCookieBlockedReason{
		network.SetCookieBlockedReasonSecureOnly, network.SetCookieBlockedReasonSameSiteStrict, network.SetCookieBlockedReasonSameSiteLax,
		network.SetCookieBlockedReasonSameSiteUnspecifiedTreatedAsLax, network.SetCookieBlockedReasonSameSiteNoneInsecure,
		network.SetCookieBlockedReasonUserPreferences, network.SetCookieBlockedReasonThirdPartyPhaseout, network.SetCookieBlockedReasonSyntaxError,
		network.SetCookieBlockedReasonSchemeNotSupported, network.SetCookieBlockedReasonOverwriteSecure, network.SetCookieBlockedReasonInvalidDomain,
		network.SetCookieBlockedReasonInvalidPrefix, network.SetCookieBlockedReasonUnknownError, network.SetCookieBlockedReasonSchemefulSameSiteStrict,
		network.SetCookieBlockedReasonSchemefulSameSiteLax, network.SetCookieBlockedReasonSchemefulSameSiteUnspecifiedTreatedAsLax,
		network.SetCookieBlockedReasonNameValuePairExceedsMaxSize, network.SetCookieBlockedReasonDisallowedCharacter, network.SetCookieBlockedReasonNoCookieContent,
	} {
		events := with(cookie(seen.Blocked, "sessionid", "new"), func(e *seen.Event) { e.Reason = string(reason) })
		assert.NotContains(t, gravest(t, events).Message, "it says", reason)
	}
}
