package preference_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/cookiecharter/consent/internal/decision"
)

func encode(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }

// Whatever a browser sends, a decision is found only where a key has signed one.
func FuzzNewest(f *testing.F) {
	good := pair(f, time.Now().Truncate(time.Millisecond))
	for _, seed := range []string{
		"", good, good + "x", good[:len(good)-1], strings.ToUpper(good), "a=b; " + good, good + "; " + good, good + ";" + name + "=",
		name, name + "=", name + "==", ";;=\x00\xff", strings.Repeat(name+"=MTc5NTQ5MTAxNHx8; ", 8) + good,
		name + "=" + strings.Repeat("A", 5000), signed(f, name, foreign, []byte{1, 0, 0, 0}), signed(f, name, key, []byte{1, 0, 0, 0}),
		strings.Join([]string{name + "=1", name + "=2", name + "=3", name + "=4", name + "=5", name + "=6", good}, ";"),
	} {
		f.Add(seed)
	}
	codecs := []*securecookie.SecureCookie{securecookie.New(key, nil), securecookie.New(old, nil)}
	for _, codec := range codecs {
		codec.SetSerializer(securecookie.NopEncoder{}).MaxAge(0)
	}
	carries := func(header string) bool {
		for pair := range strings.SplitSeq(header, ";") {
			sent, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			for _, codec := range codecs {
				var payload []byte
				if sent != name || codec.Decode(name, value, &payload) != nil {
					continue
				}
				if _, err := decision.Parse(payload); err == nil {
					return true
				}
			}
		}
		return false
	}
	f.Fuzz(func(t *testing.T, header string) {
		d, found := cookie().Newest(header, nil)
		if found && !carries(header) {
			t.Errorf("a decision of %v is found in %q", d.Time, header)
		}
		if found && !cookie().Stands(d.Time, time.Now()) {
			t.Errorf("a decision of %v stands no longer", d.Time)
		}
		if !found && (!d.Time.IsZero() || len(d.Answers) > 0) {
			t.Errorf("%v is not found, but returned", d)
		}
	})
}
