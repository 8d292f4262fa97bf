package consent

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/pattern"
)

// A Cookie declares one cookie of a site or, where its name is a pattern, a
// family of them: what a visitor is told about it, and what the middleware
// needs to judge and to delete it.
type Cookie struct {
	// Provider is who sets the cookie and answers for it: the site itself, a
	// supplier, another company. Consent is given to a provider within a
	// category, by this very name: a provider that is renamed is a new one,
	// and asked for again. Required.
	Provider string

	// Service is the service that the cookie belongs to, and the place on the
	// site where it is set. Optional.
	Service Text

	// Name is the cookie's name, in which case counts. One '*', anywhere,
	// stands for any run of characters, an empty one included. Required.
	Name string

	// Purpose says what the cookie is for, in words for visitors. Required.
	Purpose Text

	// Category is what the cookie is for, in terms of consent. Required.
	Category Category

	// Lifetime is how long a browser keeps the cookie. Zero means until the
	// browser is closed.
	Lifetime time.Duration

	// Anonymous says that no person can be found again by this cookie, which
	// exempts it from consent. Only [Statistics] can be anonymous.
	Anonymous bool

	// Domain is the Domain attribute that the cookie is set with, which
	// deleting it takes. Empty means that it is not known, or that the cookie
	// has none: a withdrawal then tries the host and each of its parents.
	Domain string

	// Path is the Path attribute that the cookie is set with, which deleting
	// it takes. Empty means "/".
	Path string

	// Origins are those that a page contacts for the cookie's sake, such as
	// "https://player.vimeo.com" or "https://*.vimeo.com", for a
	// Content-Security-Policy that follows the consent: see
	// [Preferences.Origins]. Whoever answers there may set each of the cookies
	// that name the origin, so that each of them has to be allowed. Optional.
	Origins []string
}

// A Text is one text in several languages.
type Text map[language.Tag]string

// In returns the text that serves a visitor best, and its language: that of
// the visitor's languages, best first, as x/text's matcher sees it; where none
// fits, the text in site, the site's own language; where there is none, the
// first by alphabetical order of the tags. An empty Text gives "".
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

// blank returns the languages in which t says nothing.
func (t Text) blank() []language.Tag {
	return slices.DeleteFunc(t.tags(), func(tag language.Tag) bool {
		return strings.TrimSpace(t[tag]) != ""
	})
}

// A Registry is the validated set of all declarations of one site. It never
// changes and is safe for concurrent use. Make it with [NewRegistry] or
// [MustRegistry]; the zero Registry declares nothing.
type Registry struct {
	cookies []Cookie
	rules   pattern.Set[*rule]
	origins []origin // each once and sorted

	// consents are all that a visitor can consent to, by category and then by
	// provider, so that what belongs together is a span of them; marks stand
	// for them in a decision.
	consents   []consentKey
	marks      []decision.Mark
	spans      []consentSpan // of each category, empty where nothing needs consent
	categories map[Category]consentSpan
	providers  map[consentKey]consentSpan
}

// A consentKey is what consent is given to: a provider, within a category.
type consentKey struct {
	category Category
	provider string
}

// A consentSpan is what has to be allowed for all that one category declares,
// or one provider of it: consents[from:to], which may be none, and where it
// declares anonymous statistics too, that there is no objection.
type consentSpan struct {
	from, to  int
	anonymous bool
}

// A rule is what is declared for one name, by one provider or several.
type rule struct {
	declarations []declaration
	necessary    bool // each of them is, so that no decision has to be read
}

type declaration struct {
	*Cookie
	consent int // index into Registry.consents, or exempt
}

// An origin is one that declarations name, with all that may set their cookies
// when a page contacts it.
type origin struct {
	source string
	rule   rule
}

// exempt stands in place of an index for declarations that need no consent.
const exempt = -1

// NewRegistry validates the declarations and makes a registry of them. The
// error holds every mistake in every declaration, each as a [*FieldError],
// joined by [errors.Join].
//
// The same name may be declared by several providers; such a cookie then
// passes only where each of its declarations lets it pass.
func NewRegistry(cookies ...Cookie) (*Registry, error) {
	r := &Registry{cookies: make([]Cookie, len(cookies))}
	var mistakes []error
	seen := make(map[[2]string]int, len(cookies)) // by provider and name: the number of the first
	for i, c := range cookies {
		wrong := func(field, reason string, args ...any) {
			mistakes = append(mistakes, &FieldError{Cookie: c.Name, Index: i, Field: field, Reason: fmt.Sprintf(reason, args...)})
		}
		c.validate(wrong)
		key := [2]string{c.Provider, c.Name}
		if first := seen[key]; first == 0 {
			seen[key] = i + 1
		} else if c.Provider != "" && c.Name != "" {
			wrong("Name", "declared twice by the provider %q, first as number %d", c.Provider, first)
		}
		r.cookies[i] = c.clone()
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	r.index()
	return r, nil
}

// MustRegistry is [NewRegistry] for declarations that are part of a program's
// source. It panics where NewRegistry returns an error.
func MustRegistry(cookies ...Cookie) *Registry {
	r, err := NewRegistry(cookies...)
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
// name itself, else under the most specific pattern that it matches, which is
// the one with the most bytes beside the '*' and, of two with as many, the one
// with more of them before it. More than one declaration means more than one
// provider; none, that nobody declared it.
func (r *Registry) Lookup(name string) []Cookie {
	rule, ok := r.rules.Match(name)
	if !ok {
		return nil
	}
	cookies := make([]Cookie, len(rule.declarations))
	for i, d := range rule.declarations {
		cookies[i] = d.clone()
	}
	return cookies
}

// index fills what the middleware looks up from what was declared.
func (r *Registry) index() {
	for _, c := range r.cookies {
		if c.NeedsConsent() {
			r.consents = append(r.consents, consentKey{c.Category, c.Provider})
		}
	}
	slices.SortFunc(r.consents, compareConsents)
	r.consents = slices.Compact(r.consents)
	for _, key := range r.consents {
		r.marks = append(r.marks, decision.MarkOf(string(key.category), key.provider))
	}

	r.indexSpans()

	var embedding []declaration
	rules := make(map[string]*rule, len(r.cookies))
	for i := range r.cookies {
		c := &r.cookies[i]
		of := rules[c.Name]
		if of == nil {
			of = &rule{necessary: true}
			rules[c.Name] = of
			r.rules.Put(c.Name, of)
		}
		d := declaration{Cookie: c, consent: exempt}
		if c.NeedsConsent() {
			d.consent = r.providers[consentKey{c.Category, c.Provider}].from
		}
		of.declarations = append(of.declarations, d)
		if len(c.Origins) > 0 {
			embedding = append(embedding, d)
		}
		of.necessary = of.necessary && c.Category == Necessary
	}
	r.indexOrigins(embedding)
}

func (r *Registry) indexOrigins(embedding []declaration) {
	var sources []string
	for _, d := range embedding {
		sources = append(sources, d.Origins...)
	}
	slices.Sort(sources)
	for _, source := range slices.Compact(sources) {
		o := origin{source: source}
		for _, d := range embedding {
			if slices.ContainsFunc(d.Origins, func(other string) bool { return overlap(source, other) }) {
				o.rule.declarations = append(o.rule.declarations, d)
			}
		}
		r.origins = append(r.origins, o)
	}
}

// overlap reports whether one host may answer for both of two origins. Neither
// scheme nor default port tells them apart: a policy that names http lets https
// in (CSP3, "scheme-part matches").
func overlap(a, b string) bool {
	a, b = hostPort(a), hostPort(b)
	return a == b || covers(a, b) || covers(b, a)
}

// hostPort returns an origin's host, with its port where that is no default.
func hostPort(origin string) string {
	_, host, _ := strings.Cut(strings.ToLower(origin), "://")
	return strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
}

// covers reports whether wildcard is one, and host below it.
func covers(wildcard, host string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	return ok && strings.HasSuffix(host, suffix)
}

func (r *Registry) indexSpans() {
	r.categories = make(map[Category]consentSpan)
	r.providers = make(map[consentKey]consentSpan)
	for i, key := range r.consents {
		r.providers[key] = consentSpan{from: i, to: i + 1}
		span, begun := r.categories[key.category]
		if !begun {
			span.from = i
		}
		span.to = i + 1
		r.categories[key.category] = span
	}
	for _, c := range r.cookies {
		key := consentKey{c.Category, c.Provider}
		ofProvider, ofCategory := r.providers[key], r.categories[c.Category]
		ofProvider.anonymous = ofProvider.anonymous || c.Anonymous
		ofCategory.anonymous = ofCategory.anonymous || c.Anonymous
		r.providers[key], r.categories[c.Category] = ofProvider, ofCategory
	}
	r.spans = slices.Collect(maps.Values(r.categories))
}

func compareConsents(a, b consentKey) int {
	return cmp.Or(cmp.Compare(a.category, b.category), cmp.Compare(a.provider, b.provider))
}

func (c Cookie) clone() Cookie {
	c.Service, c.Purpose, c.Origins = maps.Clone(c.Service), maps.Clone(c.Purpose), slices.Clone(c.Origins)
	return c
}

// A FieldError is one mistake in a declaration or in a [Config].
type FieldError struct {
	Cookie string // the name of the declared cookie, as given; "" for a mistake in a Config
	Index  int    // the declaration's position among those given, from 0; -1 for a mistake in a Config
	Field  string // the field as Go spells it: "Purpose", "Keys[1]"
	Reason string // what is wrong with it
}

// Error names the declaration, its field and what is wrong.
func (e *FieldError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("consent: Config.%s: %s", e.Field, e.Reason)
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
	for _, tag := range c.Service.blank() {
		wrong("Service", "is empty in %q", tag)
	}
	if len(c.Purpose) == 0 {
		wrong("Purpose", "is empty")
	}
	for _, tag := range c.Purpose.blank() {
		wrong("Purpose", "is empty in %q", tag)
	}
	c.validateName(wrong)
	switch {
	case c.Category == "":
		wrong("Category", "is empty")
	case !c.Category.wellFormed():
		wrong("Category", "%q is not lower-case letters, digits and hyphens", string(c.Category))
	case len(c.Category) > 64:
		wrong("Category", "%q is longer than 64 characters", string(c.Category))
	}
	if c.Anonymous && c.Category != Statistics {
		wrong("Anonymous", "only statistics can be anonymous, not %q", string(c.Category))
	}
	if reason := badLifetime(c.Lifetime, "until the browser is closed"); reason != "" {
		wrong("Lifetime", "%v %s", c.Lifetime, reason)
	}
	if c.Domain != "" {
		if reason := badDomain(c.Domain); reason != "" {
			wrong("Domain", "%q %s", c.Domain, reason)
		}
	}
	if c.Path != "" {
		if reason := badPath(c.Path); reason != "" {
			wrong("Path", "%q %s", c.Path, reason)
		}
	}
	for i, origin := range c.Origins {
		if !isOrigin(origin) {
			wrong(fmt.Sprintf("Origins[%d]", i), `%q is no origin such as "https://player.example.com" or "https://*.example.com"`, origin)
		}
	}
}

// maxName is what browsers allow for name and value together (RFC 6265bis
// section 5.6).
const maxName = 4096

// validateName is less strict than RFC 6265 section 4.1.1, whose names are
// tokens: sites use names with quotes, brackets and letters of every script, and
// browsers keep them. White space and commas they keep as well, but proxies and
// servers take such a name apart.
func (c Cookie) validateName(wrong func(field, reason string, args ...any)) {
	if c.Name == "" {
		wrong("Name", "is empty")
	}
	if len(c.Name) > maxName {
		wrong("Name", "has %d bytes; browsers keep no cookie of more than %d", len(c.Name), maxName)
	}
	if i := strings.IndexFunc(c.Name, illegalInName); i >= 0 {
		wrong("Name", "%q holds %q, which is illegal in a cookie's name", c.Name, []rune(c.Name[i:])[0])
	}
	if strings.Count(c.Name, "*") > 1 {
		wrong("Name", "%q holds more than one '*'", c.Name)
	}
	if c.Name == CookieName && c.Category != Necessary {
		wrong("Category", "the library's own cookie is Necessary, since it remembers the visitor's choice; declare it so or not at all")
	}
	// RFC 6265bis section 4.1.3.2: such a cookie has no Domain, and Path "/".
	if len(c.Name) >= len("__Host-") && strings.EqualFold(c.Name[:len("__Host-")], "__Host-") {
		if c.Domain != "" {
			wrong("Domain", "a __Host- cookie has none")
		}
		if c.Path != "" && c.Path != "/" {
			wrong("Path", "%q: a __Host- cookie's is \"/\"", c.Path)
		}
	}
}

func illegalInName(r rune) bool {
	return r < ' ' || r == 0x7F || unicode.IsSpace(r) || r == ';' || r == '=' || r == ','
}

// badLifetime says what keeps d from being a lifetime, "" where nothing does; zero
// is what no lifetime means.
func badLifetime(d time.Duration, zero string) string {
	switch {
	case d < 0:
		return "is negative; zero means " + zero
	case d > 0 && d < time.Second:
		return "is less than a second, the unit in which cookies expire"
	default:
		return ""
	}
}

// badDomain says what keeps s from being a Domain attribute, "" where nothing
// does. A leading dot is allowed, as in browsers (RFC 6265 section 5.2.3).
func badDomain(s string) string {
	host := strings.TrimPrefix(s, ".")
	if len(host) > 253 {
		return "is longer than 253 characters"
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "is an address: cookies of an address have no Domain"
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return "is not a host name: a label has between 1 and 63 characters"
		}
		if label[0] == '-' || label[len(label)-1] == '-' {
			return "is not a host name: a label neither begins nor ends with '-'"
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
				return fmt.Sprintf("is not a host name: it holds %q (no scheme, no port; other scripts as xn--…)", r)
			}
		}
	}
	return ""
}

// badPath says what keeps s from being a Path attribute, "" where nothing does.
func badPath(s string) string {
	if s[0] != '/' {
		return `does not begin with "/"`
	}
	if len(s) > 1024 { // RFC 6265bis section 5.6, step 6.6
		return "is longer than the 1024 bytes that browsers read"
	}
	for _, r := range s {
		if r < ' ' || r == 0x7F || r == ';' {
			return fmt.Sprintf("holds %q", r)
		}
	}
	return ""
}

// isOrigin reports whether s is a scheme, a host and perhaps a port, as a source
// in a Content-Security-Policy is written (CSP3 section 2.3.1).
func isOrigin(s string) bool {
	scheme, host, _ := strings.Cut(s, "://")
	if scheme != "https" && scheme != "http" && scheme != "wss" && scheme != "ws" {
		return false
	}
	host, port, hasPort := strings.Cut(host, ":")
	if _, err := strconv.ParseUint(port, 10, 16); hasPort && err != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.TrimPrefix(host, "*.") // below an address lies nothing
	return badDomain(host) == "" && host[0] != '.'
}
