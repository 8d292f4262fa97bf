package consent_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/securecookie"

	"github.com/cookiecharter/consent"
)

// Whatever a visitor sends, only a value that was signed is a consent.
func FuzzCookieHeader(f *testing.F) {
	mw := middleware(f, nil)
	codec := securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).MaxAge(0)
	signed := func(header string) bool {
		for pair := range strings.SplitSeq(header, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			var payload []byte
			if name == consent.CookieName && codec.Decode(consent.CookieName, value, &payload) == nil {
				return true
			}
		}
		return false
	}
	yes := decide(f, mw, consent.AcceptAll())
	for _, seed := range []string{
		"", yes, "a=b; " + yes, yes + "; " + yes, yes + "x", yes[:len(yes)-1], strings.ToUpper(yes),
		consent.CookieName + "=MTc5NTQ5MTAxNHx8", consent.CookieName, ";;=\x00\xff",
		yes + ";" + consent.CookieName + "=" + strings.Repeat("A", 5000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		response := serve(t, mw, header, func(w http.ResponseWriter, r *http.Request) {
			set("profile=1", "sessionid=1")(w, r)
			prefs := consent.FromContext(r.Context())
			if prefs.Allows(consent.FirstParty) && !signed(header) {
				t.Errorf("%q is a consent", header)
			}
			if prefs.Decided() != !prefs.DecidedAt().IsZero() {
				t.Errorf("%q is decided: %t, at %v", header, prefs.Decided(), prefs.DecidedAt())
			}
		})
		got := names(response)
		if !slices.Contains(got, "sessionid") {
			t.Errorf("%q loses a necessary cookie", header)
		}
		if len(got) > 1 && !signed(header) {
			t.Errorf("%q lets %q pass", header, got)
		}
	})
}
