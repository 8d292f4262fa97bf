package consent

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/filter"
)

// A Config is what a [Middleware] is made of. Registry and Keys are required;
// every other field's zero value is right for a site on https.
type Config struct {
	// Registry holds the declarations of the site. Required.
	Registry *Registry

	// Keys sign the visitor's decision: the first signs, all verify, so that a
	// new key goes first and the old one stays until what it signed has
	// expired. If several processes serve a site, the new key goes last in all of
	// them before it goes first in one, or the others would not know what it
	// signs. Each is secret, random and at least 32 bytes long. Two sites with the same
	// key take each other's decisions for their own: derive a key for each from one
	// secret, as in hkdf.Key(sha256.New, secret, nil, "consent shop.example", 32) of
	// package crypto/hkdf. Required.
	Keys [][]byte

	// AllowUndeclared lets cookies pass that nobody declared, while a site adopts
	// the library step by step.
	AllowUndeclared bool

	// ReportOnly changes nothing in any response, except that a Save adds its
	// decision, and that what shows something of a visitor is private: every line is
	// judged, and Observe gets what would have become of it. It is for a site that does
	// not know its cookies yet.
	ReportOnly bool

	// HideRefused hides declared cookies that the visitor has not consented to from
	// the handlers below, as if the browser had not sent them. The rest of the
	// Cookie header stays byte for byte.
	HideRefused bool

	// ExpireUndecided also expires what the visitor has not answered for, for a site
	// that set cookies before it asked. What they refuse is always expired.
	ExpireUndecided bool

	// Regime, if not nil, says which law applies to a request: see [Regime]. Nil means
	// [OptIn]. The function must not wait for anything, and cannot ask for Preferences.
	// [ByCountry] makes one that goes by a CDN's header.
	Regime func(*http.Request) Regime

	// Lifetime is how long a decision stands, in whole seconds: a fraction is cut
	// off, and less than one second is a mistake. Zero means 180 days, about the six
	// months that the CNIL calls good practice (recommendation of 17 September
	// 2020 on cookies and other tracers). Browsers keep no cookie for longer than
	// 400 days.
	Lifetime time.Duration

	// Revision asks every visitor again when it is raised: a decision taken
	// under a lower one is no consent.
	Revision uint64

	// CookieName is the name of the preferences cookie. Applications on one host that
	// declare different cookies need different names, or paths, or each would
	// overwrite the decision of the other one; ports do not keep cookies apart (RFC
	// 6265 section 8.5). A name that begins with "__Host-" keeps the hosts of the same
	// domain from planting a decision that they took from somebody else. Empty means
	// the constant [CookieName].
	CookieName string

	// FormerCookieName is the name that the preferences cookie had before. A decision
	// under it counts until the visitor decides under the new name. Take it out again
	// after a Lifetime. Empty means none.
	FormerCookieName string

	// CookiePath is the Path attribute of the preferences cookie, for an application
	// that lies below a path of its host. A decision for one path is worth nothing for
	// another one. Empty means "/".
	CookiePath string

	// Domain is the Domain attribute of the preferences cookie, a host name such
	// as "example.org", for a decision that the hosts below it share. On any other
	// host, such as localhost in development, browsers ignore the cookie. Empty
	// means the host alone.
	Domain string

	// Insecure leaves the Secure attribute off the preferences cookie, for
	// development on plain http.
	Insecure bool

	// HttpOnly hides the preferences cookie from the scripts of a page, which then
	// cannot read what is allowed.
	HttpOnly bool

	// Framed is for a site that lives in frames of other sites: the preferences
	// cookie then says "SameSite=None; Partitioned", so that browsers keep a decision
	// in each of those sites (CHIPS: Cookies Having Independent Partitioned State).
	// Otherwise it says "SameSite=Lax", and in such a frame nothing is presumed and
	// nobody is asked.
	Framed bool

	// Failed, if not nil, is told of a mistake of the site that shows only when it
	// runs, each kind once: [ErrPublic], [ErrShownTooLate], [ErrNotKept],
	// [ErrBypassed], [ErrReturned]. Nil means that [slog.Default] logs it.
	Failed func(*http.Request, error)

	// Observe, if not nil, gets an event for what became of each cookie, when the
	// head of a response leaves and in the goroutine that sends it. [LogTo] makes
	// one that writes to a log.
	Observe func(*http.Request, Event)

	// Recorder, if not nil, keeps proof of each decision, under a random
	// [Reference] that then travels in the preferences cookie. Nothing is allowed
	// before the recorder has kept the consent; a refusal waits for nothing. Nil
	// records nothing.
	Recorder Recorder
}

// defaultLifetime is six months in days: see [Config.Lifetime].
const defaultLifetime = 180 * 24 * time.Hour

// minKey is what RFC 2104 section 3 asks of a key: as many bytes as the hash
// has, here SHA-256.
const minKey = 32

// cookie returns the preferences cookie, without a value.
func (c *Config) cookie() http.Cookie {
	cookie := http.Cookie{
		Name:     cmp.Or(c.CookieName, CookieName),
		Path:     cmp.Or(c.CookiePath, "/"),
		Domain:   c.Domain,
		MaxAge:   int(c.Lifetime / time.Second),
		Secure:   !c.Insecure,
		HttpOnly: c.HttpOnly,
		SameSite: http.SameSiteLaxMode,
	}
	if c.Framed {
		cookie.SameSite, cookie.Partitioned = http.SameSiteNoneMode, true
	}
	return cookie
}

// observer makes what the filter calls of what the site gave; nil of nil.
func (c *Config) observer() func(*http.Request, filter.Event) {
	if c.Observe == nil {
		return nil
	}
	observe, reportOnly := c.Observe, c.ReportOnly
	return func(r *http.Request, e filter.Event) {
		observe(r, Event{
			Cookie: e.Cookie, Outcome: Outcome(e.Outcome), Reason: Reason(e.Reason),
			Attributes: Attributes(e.Attributes), ReportOnly: reportOnly,
		})
	}
}

func (c *Config) validate() error {
	var mistakes mistakeList
	wrong := mistakes.in(FieldError{Index: -1})
	if c.Registry == nil {
		wrong("Registry", "is nil")
	}
	if len(c.Keys) == 0 {
		wrong("Keys", "holds no key")
	}
	for i, key := range c.Keys {
		field := fmt.Sprintf("Keys[%d]", i)
		if len(key) < minKey {
			wrong(field, "has %d bytes; a key has at least %d", len(key), minKey)
		} else if bytes.Count(key, []byte{0}) == len(key) {
			wrong(field, "is all zero; fill it from crypto/rand, or from your secrets")
		}
	}
	if v := reflect.ValueOf(c.Recorder); v.Kind() == reflect.Pointer && v.IsNil() {
		wrong("Recorder", "holds a nil %T; leave the field out to record nothing", c.Recorder)
	}
	if err := attribute.CheckLifetime(c.Lifetime, "180 days"); err != nil {
		wrong("Lifetime", "%v %v", c.Lifetime, err)
	}
	c.validateCookie(wrong)
	return mistakes.err()
}

// validateCookie checks what becomes the preferences cookie. net/http has the last
// word on each part, since it writes the cookie.
func (c *Config) validateCookie(wrong func(field, reason string, args ...any)) {
	name := cmp.Or(c.CookieName, CookieName)
	for _, field := range []struct{ name, value string }{{"CookieName", c.CookieName}, {"FormerCookieName", c.FormerCookieName}} {
		if field.value != "" && (&http.Cookie{Name: field.value}).Valid() != nil {
			wrong(field.name, "%q is no name of a cookie", field.value)
		}
	}
	if c.FormerCookieName == name {
		wrong("FormerCookieName", "%q is the present name", name)
	}
	for _, field := range []struct{ name, value string }{{"CookieName", name}, {"FormerCookieName", c.FormerCookieName}} {
		declared := func(cookie Cookie) bool { return cookie.Name == field.value && cookie.Category != Necessary }
		if c.Registry != nil && slices.ContainsFunc(c.Registry.Lookup(field.value), declared) {
			wrong(field.name, "%q is declared, and not as Necessary; it remembers the visitor's choice", field.value)
		}
	}
	if c.CookiePath != "" {
		if err := attribute.CheckPath(c.CookiePath); err != nil {
			wrong("CookiePath", "%q %v", c.CookiePath, err)
		} else if (&http.Cookie{Name: CookieName, Path: c.CookiePath}).Valid() != nil {
			wrong("CookiePath", "%q is no path of a cookie", c.CookiePath)
		}
	}
	if c.Domain != "" {
		if err := attribute.CheckDomain(c.Domain); err != nil {
			wrong("Domain", "%q %v", c.Domain, err)
		} else if (&http.Cookie{Name: CookieName, Domain: c.Domain}).Valid() != nil {
			wrong("Domain", "%q is not a host name", c.Domain)
		}
	}
	c.validatePrefix(name, wrong)
	if c.Framed && c.Insecure {
		wrong("Framed", "browsers keep such a cookie only if it is Secure, so that Insecure cannot be set")
	}
}

// validatePrefix checks what browsers ask of a name that begins so (RFC 6265bis
// section 4.1.3; the Http ones are Chromium's).
func (c *Config) validatePrefix(name string, wrong func(field, reason string, args ...any)) {
	lower := strings.ToLower(name)
	host := strings.HasPrefix(lower, "__host-")
	http := strings.HasPrefix(lower, "__http-") || strings.HasPrefix(lower, "__host-http-")
	if (host || http || strings.HasPrefix(lower, "__secure-")) && c.Insecure {
		wrong("CookieName", "%q: browsers keep such a cookie only if it is Secure, so that Insecure cannot be set", name)
	}
	if http && !c.HttpOnly {
		wrong("CookieName", "%q: browsers keep such a cookie only if HttpOnly is set", name)
	}
	if host && c.Domain != "" {
		wrong("CookieName", "%q: browsers keep such a cookie only if it has no Domain", name)
	}
	if host && c.CookiePath != "" && c.CookiePath != "/" {
		wrong("CookieName", "%q: browsers keep such a cookie only if its path is \"/\"", name)
	}
}
