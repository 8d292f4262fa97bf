package attribute_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/attribute"
)

func TestCheckLifetimeAsksForWholeSeconds(t *testing.T) {
	for lifetime, want := range map[time.Duration]string{
		0:                             "",
		time.Second:                   "",
		1500 * time.Millisecond:       "",
		400 * 24 * time.Hour:          "",
		time.Second - time.Nanosecond: "is less than a second, the unit in which cookies expire",
		time.Nanosecond:               "is less than a second, the unit in which cookies expire",
		-time.Nanosecond:              "is negative; zero means 180 days",
		-time.Hour:                    "is negative; zero means 180 days",
	} {
		assert.Equal(t, want, text(attribute.CheckLifetime(lifetime, "180 days")), lifetime)
	}
}

func TestCheckDomainTakesAHostName(t *testing.T) {
	const (
		length = "is not a host name: a label has between 1 and 63 characters"
		hyphen = "is not a host name: a label neither begins nor ends with '-'"
		holds  = " (no scheme, no port; other scripts as xn--…)"
		number = "is an address: cookies of an address have no Domain"
	)
	labels := strings.Repeat(strings.Repeat("a", 49)+".", 5) // 250 bytes
	for domain, want := range map[string]string{
		"example.org":                    "",
		".example.org":                   "",
		"Shop-1.EXAMPLE.org":             "",
		"a_b.example":                    "",
		"localhost":                      "",
		"azAZ09.az":                      "",
		"xn--caf-dma.example":            "",
		strings.Repeat("a", 63) + ".org": "",
		strings.Repeat("a", 64) + ".org": length,
		labels + "abc":                   "", // 253
		"." + labels + "abc":             "", // the dot is no part of it
		labels + "abcd":                  "is longer than 253 characters",
		"":                               length,
		".":                              length,
		"..example.org":                  length,
		"example..org":                   length,
		"example.org.":                   length,
		"-a.example":                     hyphen,
		"a.example-":                     hyphen,
		"-":                              hyphen,
		"127.0.0.1":                      number,
		".127.0.0.1":                     number,
		"::1":                            number,
		"shop.example:443":               "is not a host name: it holds ':'" + holds,
		"https://example.org":            "is not a host name: it holds ':'" + holds,
		"example.org/":                   "is not a host name: it holds '/'" + holds,
		"café.example":                   "is not a host name: it holds 'é'" + holds,
		"a b.example":                    "is not a host name: it holds ' '" + holds,
		"a`.example":                     "is not a host name: it holds '`'" + holds,
		"a{.example":                     "is not a host name: it holds '{'" + holds,
		"a@.example":                     "is not a host name: it holds '@'" + holds,
		"a[.example":                     "is not a host name: it holds '['" + holds,
		"a;Secure":                       "is not a host name: it holds ';'" + holds,
	} {
		assert.Equal(t, want, text(attribute.CheckDomain(domain)), domain)
	}
}

func TestCheckPathTakesWhatBrowsersRead(t *testing.T) {
	for path, want := range map[string]string{
		"/":                             "",
		"/shop/a b/é~":                  "",
		"/" + strings.Repeat("a", 1023): "",
		"/" + strings.Repeat("a", 1024): "is longer than the 1024 bytes that browsers read",
		"/" + strings.Repeat("é", 512):  "is longer than the 1024 bytes that browsers read",
		"":                              `does not begin with "/"`,
		"shop":                          `does not begin with "/"`,
		" /":                            `does not begin with "/"`,
		"/; Secure":                     "holds ';'",
		"/\r\nSet-Cookie: a=b":          `holds '\r'`,
		"/\x1f":                         `holds '\x1f'`,
		"/\x7f":                         `holds '\x7f'`,
	} {
		assert.Equal(t, want, text(attribute.CheckPath(path)), path)
	}
}

func TestDefaultPathIsThatOfTheFolder(t *testing.T) {
	for request, want := range map[string]string{
		"":            "/",
		"*":           "/",
		"shop/cart":   "/", // what http.StripPrefix leaves
		"/":           "/",
		"/shop":       "/",
		"/shop/":      "/shop",
		"/shop/cart":  "/shop",
		"/shop/cart/": "/shop/cart",
		"//":          "/",
	} {
		assert.Equal(t, want, attribute.DefaultPath(request), request)
	}
}

func TestACookieIsSentBelowItsPathAlone(t *testing.T) {
	for _, test := range []struct {
		request, cookie string
		want            bool
	}{
		{"/", "/", true}, {"/shop", "/", true}, {"/shop", "/shop", true}, {"/shop/", "/shop", true}, {"/shop/cart", "/shop", true}, {"/shop/cart", "/shop/", true},
		{"/shopping", "/shop", false}, {"/shop", "/shop/", false}, {"/", "/shop", false}, {"", "/", false},
	} {
		assert.Equal(t, test.want, attribute.IsUnder(test.request, test.cookie), test)
	}
}

// text returns what an error says; "" for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestNamesThatCanBeDeclared(t *testing.T) {
	for name, want := range map[string][2]int{ // how many mistakes a cookie's name has, and another tracer's
		"sessionid": {0, 0}, "*": {0, 0}, "_ga_*": {0, 0}, `odd"[é]`: {0, 0},
		"": {1, 1}, "a b": {1, 0}, "a=b": {1, 0}, "a,b": {1, 0}, "a\x00": {1, 0}, "**": {1, 1}, "* *": {2, 1},
		strings.Repeat("n", 4096): {0, 0}, strings.Repeat("n", 4097): {1, 1},
	} {
		assert.Len(t, attribute.CheckName(name, true), want[0], "%.20q", name)
		assert.Len(t, attribute.CheckName(name, false), want[1], "%.20q", name)
	}
}

func TestWhoIsBehindAProvider(t *testing.T) {
	for country, want := range map[string]bool{"IE": true, "ie": false, "I": false, "IRL": false, "": false, "I1": false} {
		assert.Equal(t, want, attribute.CheckCountry(country) == nil, country)
	}
	for address, want := range map[string]bool{
		"https://a.example/p": true, "http://a.example": true, "": false, "/p": false, "javascript:alert(1)": false, "mailto:a@b.example": false, "https://%zz": false, "https:///p": false,
	} {
		assert.Equal(t, want, attribute.CheckAddress(address) == nil, address)
	}
}
