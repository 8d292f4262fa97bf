package consent

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/origins"
	"github.com/cookiecharter/consent/internal/policy"
)

// A Cookie declares one cookie of a site, or a tracer of another [Kind], or a family of
// them if its name is a pattern: what the charter says about it, and what the middleware needs to judge
// and to delete it.
type Cookie struct {
	// Provider is who sets the cookie and answers for it: the site itself, a
	// supplier, another company. Consent is given to a provider within a
	// category, by this very name: a provider with another name is a new one,
	// and visitors are asked again. Required.
	Provider string

	// Kind says where the tracer lies. Zero is an HTTP cookie; for any other kind
	// Domain, Path, HttpOnly and Also are mistakes.
	Kind Kind

	// Service is the service that the cookie belongs to, and the place on the
	// site where it is set. Optional.
	Service Text

	// Name is the cookie's name; upper and lower case differ. One '*', anywhere,
	// stands for any run of characters, even an empty one. Required.
	Name string

	// Purpose says what the cookie is for, in words for visitors. Required.
	Purpose Text

	// Category is what the cookie is for, in terms of consent. Required.
	Category Category

	// Lifetime is how long a browser keeps the cookie. Zero means until the browser
	// is closed; for other kinds, until the tab is closed or somebody deletes it.
	Lifetime time.Duration

	// Anonymous says that nobody can find a person again by this cookie, so that
	// it is exempt from consent. Only [Statistics] can be anonymous.
	Anonymous bool

	// Domain is the Domain attribute that the cookie is set with: a browser
	// deletes it only by the same one. Empty means that it is not known, or that
	// the cookie has none: a withdrawal then tries the host and each of its parents.
	Domain string

	// Path is the Path attribute that the cookie is set with: a browser deletes it
	// only by the same one. Empty means "/".
	Path string

	// HttpOnly says that the cookie is set with the attribute HttpOnly, so that no script reads
	// it (RFC 6265, section 4.1.2.6). One that is set without it then counts as not as
	// declared: see [ReasonNotHttpOnly]. False says nothing about it.
	HttpOnly bool

	// Also lists the other places in which browsers keep the cookie, if it is set with
	// several domains or paths. Optional.
	Also []Place

	// Origins are those that a page contacts for the cookie's sake, such as
	// "https://player.vimeo.com" or "https://*.vimeo.com", for a
	// Content-Security-Policy that follows the consent: see
	// [Preferences.Origins]. Whoever answers at an origin may set every cookie
	// that names it, so that each of these has to be allowed. Optional.
	Origins []string
}

// A Place is where a browser keeps a cookie: see [Cookie.Also].
type Place struct {
	Domain string // as [Cookie.Domain]
	Path   string // as [Cookie.Path]
}

// A Text is one text in several languages.
type Text map[language.Tag]string

// In returns the text that serves a visitor best, and its language: the one that
// x/text's matcher finds for the visitor's languages, best first; if none fits,
// the text in site, the site's own language; if there is none, the first by
// alphabetical order of the tags. An empty Text gives "".
func (t Text) In(site language.Tag, visitor ...language.Tag) (string, language.Tag) {
	if len(t) == 0 {
		return "", language.Und
	}
	if len(visitor) > 0 {
		if text, ok := t[visitor[0]]; ok {
			return text, visitor[0]
		}
	}
	tags := t.tags()
	matcher := language.NewMatcher(tags)
	for _, wanted := range [][]language.Tag{visitor, {site}} {
		if _, i, confidence := matcher.Match(wanted...); confidence > language.No {
			return t[tags[i]], tags[i]
		}
	}
	return t[tags[0]], tags[0]
}

// tags returns the languages of t by alphabetical order.
func (t Text) tags() []language.Tag {
	return slices.SortedFunc(maps.Keys(t), func(a, b language.Tag) int {
		return strings.Compare(a.String(), b.String())
	})
}

func (t Text) validate(field string, wrong func(field, reason string, args ...any)) {
	for _, tag := range t.tags() {
		switch text := strings.TrimSpace(t[tag]); {
		case text == "":
			wrong(field, "is empty in %q", tag)
		case isTODO(text):
			wrong(field, "says TODO in %q", tag)
		}
	}
}

// isTODO reports whether somebody still has to write a text, as in declarations that
// package inventory has made.
func isTODO(text string) bool { return strings.HasPrefix(text, "TODO") }

// A Registry is the validated set of all declarations of one site. It never
// changes and is safe for concurrent use. Make it with [NewRegistry] or
// [MustRegistry]; the zero Registry declares nothing.
type Registry struct {
	cookies   []Cookie
	policy    policy.Policy // the same, compiled
	providers []Provider
}

// NewRegistry validates the declarations and makes a registry of them. The
// error holds every mistake in every declaration, each as a [*FieldError],
// joined by [errors.Join].
//
// Several providers may declare the same name; such a cookie then passes only if
// each of its declarations lets it pass.
func NewRegistry(cookies ...Cookie) (*Registry, error) {
	r := &Registry{cookies: make([]Cookie, len(cookies))}
	var mistakes mistakeList
	type key struct {
		provider, name string
		kind           Kind
	}
	seen := make(map[key]int, len(cookies)) // the number of the first
	for i, c := range cookies {
		wrong := mistakes.in(FieldError{Cookie: c.Name, Index: i})
		c.validate(wrong)
		if first := seen[key{c.Provider, c.Name, c.Kind}]; first == 0 {
			seen[key{c.Provider, c.Name, c.Kind}] = i + 1
		} else if c.Provider != "" && c.Name != "" {
			wrong("Name", "declared twice by the provider %q, first as number %d", c.Provider, first)
		}
		r.cookies[i] = c.clone()
	}
	if err := mistakes.err(); err != nil {
		return nil, err
	}
	r.policy = policy.New(declarations(r.cookies))
	if a, b, same := r.policy.SameMark(); same {
		i := slices.IndexFunc(r.cookies, func(c Cookie) bool { return party(c.Category, c.Provider) == b })
		mistakes.in(FieldError{Cookie: r.cookies[i].Name, Index: i})("Provider", "%q in %q and %q in %q cannot be told apart in a decision; rename one of them", b.Provider, b.Category, a.Provider, a.Category)
		return nil, mistakes.err()
	}
	return r, nil
}

// MustRegistry is [NewRegistry] for declarations that are part of a program's
// source. It panics if NewRegistry returns an error.
func MustRegistry(cookies ...Cookie) *Registry {
	return Must(NewRegistry(cookies...))
}

// Must returns r, and panics if err is not nil. It is for variables of a package, with
// [ReadRegistry] and [Registry.WithProviders]:
//
//	var cookies = consent.Must(consent.MustRegistry(…).WithProviders(
//		consent.Provider{Name: "Vimeo", LegalName: "Vimeo.com, Inc.", Country: "US"},
//	))
func Must(r *Registry, err error) *Registry {
	if err != nil {
		panic(err)
	}
	return r
}

// Cookies returns the declarations in the order in which they were given. The
// caller may keep and change what it gets.
func (r *Registry) Cookies() []Cookie {
	cookies := make([]Cookie, len(r.cookies))
	for i, c := range r.cookies {
		cookies[i] = c.clone()
	}
	return cookies
}

// Lookup returns what is declared for a cookie of this very name: under the
// name itself, else under the most specific pattern that matches it. That is the
// pattern with the most bytes apart from the '*' and, of two with as many, the one
// with more of them before it. More than one declaration means more than one
// provider; none means that nobody declared it.
func (r *Registry) Lookup(name string) []Cookie {
	rule := r.policy.Match(name)
	if rule == nil {
		return nil
	}
	cookies := make([]Cookie, len(rule.Declarations))
	for i, d := range rule.Declarations {
		cookies[i] = r.cookies[d.Number].clone()
	}
	return cookies
}

// declarations returns what the policy needs of the cookies.
func declarations(cookies []Cookie) []policy.Declaration {
	declarations := make([]policy.Declaration, len(cookies))
	for i, c := range cookies {
		declarations[i] = policy.Declaration{
			Number: i, Party: party(c.Category, c.Provider), Name: c.Name, Need: c.need(),
			Lifetime: c.Lifetime, HttpOnly: c.HttpOnly, Places: c.places(), Origins: c.Origins, NoCookie: c.Kind != HTTPCookie,
		}
	}
	return declarations
}

// places returns where browsers keep the cookie, each place once.
func (c Cookie) places() []policy.Place {
	places := []policy.Place{{Domain: c.Domain, Path: cmp.Or(c.Path, "/")}}
	for _, p := range c.Also {
		places = append(places, policy.Place{Domain: p.Domain, Path: cmp.Or(p.Path, "/")})
	}
	return places
}

// party returns whom consent is given to.
func party(c Category, provider string) policy.Party {
	return policy.Party{Category: string(c), Provider: provider}
}

func (c Cookie) clone() Cookie {
	c.Service, c.Purpose = maps.Clone(c.Service), maps.Clone(c.Purpose)
	c.Also, c.Origins = slices.Clone(c.Also), slices.Clone(c.Origins)
	return c
}

// A FieldError is one mistake in a declaration or in a [Config].
type FieldError struct {
	Cookie string // the name of the declared cookie, as given; "" for a mistake in a Config or a Provider
	Index  int    // the position among those given, from 0; -1 for a mistake in a Config
	Field  string // the field as Go spells it: "Purpose", "Keys[1]"
	Reason string // what is wrong with it

	Provider string // the name of the Provider of [Registry.WithProviders]; "" for any other mistake
}

// A mistakeList collects mistakes, each a [*FieldError].
type mistakeList []error

// in returns a function that adds mistakes of one declaration.
func (m *mistakeList) in(where FieldError) func(field, reason string, args ...any) {
	return func(field, reason string, args ...any) {
		where.Field, where.Reason = field, fmt.Sprintf(reason, args...)
		mistake := where
		*m = append(*m, &mistake)
	}
}

func (m mistakeList) err() error { return errors.Join(m...) }

// Error names the declaration, its field and what is wrong.
func (e *FieldError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("consent: Config.%s: %s", e.Field, e.Reason)
	}
	if e.Provider != "" {
		return fmt.Sprintf("consent: provider %q (number %d): %s: %s", e.Provider, e.Index+1, e.Field, e.Reason)
	}
	return fmt.Sprintf("consent: cookie %q (number %d): %s: %s", e.Cookie, e.Index+1, e.Field, e.Reason)
}

// validate calls wrong for each mistake that c holds by itself.
func (c Cookie) validate(wrong func(field, reason string, args ...any)) {
	switch {
	case strings.TrimSpace(c.Provider) == "":
		wrong("Provider", "is empty")
	case strings.TrimSpace(c.Provider) != c.Provider:
		wrong("Provider", "%q begins or ends with white space", c.Provider)
	case !utf8.ValidString(c.Provider) || strings.ContainsFunc(c.Provider, unicode.IsControl):
		wrong("Provider", "%q is not text: it holds a control character or is not UTF-8", c.Provider)
	}
	if isTODO(c.Provider) {
		wrong("Provider", "says TODO")
	}
	c.Service.validate("Service", wrong)
	if len(c.Purpose) == 0 {
		wrong("Purpose", "is empty")
	}
	c.Purpose.validate("Purpose", wrong)
	if c.Kind > Other {
		wrong("Kind", "%d is none of the constants", c.Kind)
	}
	for _, err := range attribute.CheckName(c.Name, c.Kind == HTTPCookie) {
		wrong("Name", "%v", err)
	}
	switch {
	case c.Category == "":
		wrong("Category", "is empty")
	case strings.HasPrefix(string(c.Category), "TODO"):
		wrong("Category", "says TODO")
	case !c.Category.wellFormed():
		wrong("Category", "%q is not lower-case letters, digits and hyphens", string(c.Category))
	case len(c.Category) > 64:
		wrong("Category", "%q is longer than 64 characters", string(c.Category))
	}
	if c.Name == CookieName && c.Category != Necessary && c.Kind == HTTPCookie {
		wrong("Category", "the library's own cookie is Necessary, since it remembers the visitor's choice; declare it so or not at all")
	}
	if c.Anonymous && c.Category != Statistics {
		wrong("Anonymous", "only statistics can be anonymous, not %q", string(c.Category))
	}
	if err := attribute.CheckLifetime(c.Lifetime, "until the browser is closed"); err != nil {
		wrong("Lifetime", "%v %v", c.Lifetime, err)
	}
	if c.HttpOnly && c.Kind != HTTPCookie {
		wrong("HttpOnly", "only cookies have it, and scripts read what lies in the %v", c.Kind)
	}
	c.validatePlaces(wrong)
	for i, origin := range c.Origins {
		if !origins.Valid(origin) {
			wrong(fmt.Sprintf("Origins[%d]", i), `%q is no origin such as "https://player.example.com" or "https://*.example.com"`, origin)
		}
	}
}

// validatePlaces checks the domains and paths of c, each in its own field.
func (c Cookie) validatePlaces(wrong func(field, reason string, args ...any)) {
	if c.Kind != HTTPCookie {
		if c.Domain != "" || c.Path != "" || len(c.Also) > 0 {
			wrong("Kind", "only an HTTP cookie has a Domain, a Path or other places, and this is %v", c.Kind)
		}
		return
	}
	// RFC 6265bis section 4.1.3.2: such a cookie has no Domain, and Path "/".
	isHost := len(c.Name) >= len("__Host-") && strings.EqualFold(c.Name[:len("__Host-")], "__Host-")
	check := func(prefix, domain, path string) {
		if domain != "" {
			if err := attribute.CheckDomain(domain); err != nil {
				wrong(prefix+"Domain", "%q %v", domain, err)
			}
			if isHost {
				wrong(prefix+"Domain", "a __Host- cookie has none")
			}
		}
		if path != "" {
			if err := attribute.CheckPath(path); err != nil {
				wrong(prefix+"Path", "%q %v", path, err)
			}
			if isHost && path != "/" {
				wrong(prefix+"Path", "%q: a __Host- cookie's is \"/\"", path)
			}
		}
	}
	check("", c.Domain, c.Path)
	places := c.places()
	for i, p := range c.Also {
		field := fmt.Sprintf("Also[%d]", i)
		check(field+".", p.Domain, p.Path)
		if slices.Contains(places[:i+1], places[i+1]) {
			wrong(field, "is a place that the declaration names already")
		}
	}
}
