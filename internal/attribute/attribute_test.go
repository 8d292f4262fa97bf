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

// text returns what an error says; "" for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
