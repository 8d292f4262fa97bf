// Package attribute checks what a site may declare of a cookie: its name, its Domain, its
// Path, its lifetime; and of whoever sets it. It asks for what browsers accept,
// which is more than the grammar for servers allows (RFC 6265 section 4.1.1).
//
// Each error reads on after the name of the value: "shop.example:443" is not a
// host name.
package attribute

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// CheckLifetime says what is wrong with a lifetime. Cookies expire in whole
// seconds; zero is no lifetime, which means what the caller says in zero.
func CheckLifetime(d time.Duration, zero string) error {
	switch {
	case d < 0:
		return errors.New("is negative; zero means " + zero)
	case d > 0 && d < time.Second:
		return errors.New("is less than a second, the unit in which cookies expire")
	default:
		return nil
	}
}

// CheckDomain says what keeps s from being a Domain attribute. A leading dot is
// allowed, as in browsers (RFC 6265 section 5.2.3).
func CheckDomain(s string) error {
	host := strings.TrimPrefix(s, ".")
	if len(host) > 253 { // RFC 1035 section 2.3.4, written out
		return errors.New("is longer than 253 characters")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		// A browser compares the Domain of an address as a whole (RFC 6265 section
		// 5.1.3), so that it buys nothing there.
		return errors.New("is an address: cookies of an address have no Domain")
	}
	for label := range strings.SplitSeq(host, ".") {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(label string) error {
	if label == "" || len(label) > 63 {
		return errors.New("is not a host name: a label has between 1 and 63 characters")
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return errors.New("is not a host name: a label neither begins nor ends with '-'")
	}
	for _, r := range label {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return fmt.Errorf("is not a host name: it holds %q (no scheme, no port; other scripts as xn--…)", r)
		}
	}
	return nil
}

// maxPath is how many bytes of an attribute browsers read (RFC 6265bis section
// 5.6, step 6.6).
const maxPath = 1024

// CheckPath says what keeps s from being a Path attribute.
func CheckPath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return errors.New(`does not begin with "/"`)
	}
	if len(s) > maxPath {
		return fmt.Errorf("is longer than the %d bytes that browsers read", maxPath)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7F || r == ';' {
			return fmt.Errorf("holds %q", r)
		}
	}
	return nil
}

// DefaultPath returns the path of a cookie whose line has none, for a request
// of this path (RFC 6265 section 5.1.4).
func DefaultPath(request string) string {
	i := strings.LastIndexByte(request, '/')
	if i <= 0 || request[0] != '/' {
		return "/"
	}
	return request[:i]
}

// IsUnder reports whether a browser sends a cookie of this path with a request of that one
// (RFC 6265 section 5.1.4).
func IsUnder(request, cookie string) bool {
	return strings.HasPrefix(request, cookie) &&
		(len(request) == len(cookie) || strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}

// maxName is what browsers allow for name and value together (RFC 6265bis
// section 5.6).
const maxName = 4096

// CheckName says all that keeps a name from being declared; each error stands alone. It is
// less strict than RFC 6265 section 4.1.1, whose names are tokens: sites use names with
// quotes, brackets and letters of every script, and browsers keep them. They keep white
// space and commas as well, but proxies and servers split such a name of a cookie.
func CheckName(name string, isCookie bool) (mistakes []error) {
	if name == "" {
		mistakes = append(mistakes, errors.New("is empty"))
	}
	if len(name) > maxName {
		mistakes = append(mistakes, fmt.Errorf("has %d bytes; browsers keep no cookie of more than %d", len(name), maxName))
	}
	if i := strings.IndexFunc(name, illegalInName); i >= 0 && isCookie {
		mistakes = append(mistakes, fmt.Errorf("%q holds %q, which is illegal in a cookie's name", name, []rune(name[i:])[0]))
	}
	if strings.Count(name, "*") > 1 {
		mistakes = append(mistakes, fmt.Errorf("%q holds more than one '*'", name))
	}
	return mistakes
}

func illegalInName(r rune) bool {
	return r < ' ' || r == 0x7F || unicode.IsSpace(r) || r == ';' || r == '=' || r == ','
}

// CheckCountry says what keeps s from being a country's code (ISO 3166-1 alpha-2).
func CheckCountry(s string) error {
	if len(s) != 2 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return errors.New("is not two capital letters")
	}
	return nil
}

// CheckAddress says what keeps s from being the address of a page.
func CheckAddress(s string) error {
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("is no address that begins with https:// or http://")
	}
	return nil
}
