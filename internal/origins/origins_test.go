package origins_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/origins"
)

func TestValidTakesASchemeAHostAndPerhapsAPort(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://player.example.com":                  true,
		"http://player.example.com":                   true,
		"wss://player.example.com":                    true,
		"ws://player.example.com":                     true,
		"https://*.example.com":                       true,
		"https://*.example.com:8443":                  true,
		"https://localhost":                           true,
		"https://127.0.0.1":                           true,
		"https://127.0.0.1:8080":                      true,
		"https://example.com:0":                       true,
		"https://example.com:65535":                   true,
		"https://" + strings.Repeat("a", 63) + ".com": true,
		"https://" + strings.Repeat("a", 64) + ".com": false,

		"":                              false,
		"https:":                        false,
		"https://":                      false,
		"https://:443":                  false,
		"player.example.com":            false,
		"ftp://example.com":             false,
		"HTTPS://example.com":           false,
		"data:":                         false,
		"'self'":                        false,
		"https://example.com/":          false,
		"https://example.com/embed":     false,
		"https://example.com?a":         false,
		"https://example.com:":          false,
		"https://example.com:*":         false,
		"https://example.com:+1":        false,
		"https://example.com:65536":     false,
		"https://example.com:0x50":      false,
		"https://example.com:80:80":     false,
		"https://user@example.com":      false,
		"https://.example.com":          false,
		"https://*":                     false,
		"https://*.":                    false,
		"https://*..example.com":        false,
		"https://*.*.example.com":       false,
		"https://a.*.example.com":       false,
		"https://*example.com":          false,
		"https://*.127.0.0.1":           false,
		"https://[::1]":                 false,
		"https://example.com; img-src":  false,
		"https://example.com https://a": false,
	} {
		assert.Equal(t, want, origins.Valid(origin), origin)
	}
}

func TestOverlapIsThatOneHostMayAnswerForBoth(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://a.example", "https://a.example", true},
		{"https://a.example", "https://A.Example", true},
		{"https://a.example", "http://a.example", true},
		{"wss://a.example", "https://a.example", true},
		{"https://a.example:443", "https://a.example", true},
		{"http://a.example:80", "https://a.example:443", true},
		{"https://a.example:8443", "https://a.example:8443", true},
		{"https://a.example:8443", "https://a.example", false},
		{"https://a.example", "https://b.example", false},
		{"https://*.a.example", "https://b.a.example", true},
		{"https://*.a.example:443", "http://b.a.example", true},
		{"https://*.a.example", "https://c.b.a.example", true},
		{"https://*.a.example", "https://*.b.a.example", true},
		{"https://*.a.example", "https://a.example", false},
		{"https://*.a.example", "https://ba.example", false},
		{"https://*.a.example", "https://b.a.example:8443", false},
		{"https://*.a.example:8443", "https://b.a.example:8443", true},
		{"https://*.a.example", "https://*.b.example", false},
		{"https://a.example", "https://b.a.example", false},
	} {
		assert.Equal(t, test.want, origins.Overlap(test.a, test.b), test)
		assert.Equal(t, test.want, origins.Overlap(test.b, test.a), test)
	}
}
