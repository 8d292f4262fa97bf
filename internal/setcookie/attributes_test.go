package setcookie_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/setcookie"
)

func TestAttributesAreReadAsBrowsersDo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const century = 100 * 365 * 24 * time.Hour
	for line, want := range map[string]setcookie.Attributes{
		"a=1": {},
		"a=1; Domain=.Example.ORG; Path=/shop ; secure;HTTPONLY; SameSite=None; Partitioned": {Domain: "example.org", Path: "/shop", Secure: true, HttpOnly: true, SameSite: "None", Partitioned: true},
		"a=1; Path=/a; Path=b; Domain=x; Domain=":                                            {},
		"a=1; Domain=..x; Path=/a; Path=/" + strings.Repeat("p", 1024):                       {Domain: ".x", Path: "/a"},
		"a=1; Path=/a; Path=/" + strings.Repeat("p", 1023):                                   {Path: "/" + strings.Repeat("p", 1023)},
		"a=1; Max-Age=60; Expires=Thu, 01 Jan 2027 00:00:00 GMT":                             {Lifetime: time.Minute},
		"a=1; Max-Age=0junk; Expires=Fri, 02 Jan 2026 00:00:00 GMT":                          {Lifetime: 24 * time.Hour},
		"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT":                                         {},
		"a=1; Max-Age=-5":                            {},
		"a=1; Max-Age=99999999999999999999":          {Lifetime: century},
		"a=1; Max-Age=99999999999":                   {Lifetime: century},
		"a=1; Expires=Fri, 01 Jan 9999 00:00:00 GMT": {Lifetime: century},
	} {
		assert.Equal(t, want, setcookie.ReadAttributes(line, now), line)
	}
}
