//go:build ignore

// Writes known.txt, what the names of well-known cookies tell, from a CSV in the
// manner of the Open Cookie Database without its descriptions:
//
//	go run generate.go <file.csv> [<known.txt>]
//
// Broken rows are all told, each with file and line, and nothing is written.
package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const header = `# What the names of well-known cookies tell. Made by generate.go, not by hand.
# Facts from the Open Cookie Database (https://github.com/jkwakman/Open-Cookie-Database),
# Apache-2.0; names that tell nothing left out, categories and lifetimes changed to
# those of this library. "@": provider, then the service where it has a name of its
# own. "%": a Go library that has the name by default, by its own source, then what
# the cookie is.
# Below: category, lifetime ("0": until the browser is closed, "?": not known), names.
`

func main() {
	if len(os.Args) < 2 {
		exit(errors.New("usage: go run generate.go <file.csv> [<known.txt>]"))
	}
	rows, err := read(os.Args[1])
	if err != nil {
		exit(err)
	}
	to := "known.txt"
	if len(os.Args) > 2 {
		to = os.Args[2]
	}
	facts := slices.Concat(distinct(rows), libraries)
	if err := os.WriteFile(to, []byte(format(facts)), 0o644); err != nil {
		exit(err)
	}
	fmt.Fprintf(os.Stderr, "%d rows, of which %d names tell something\n", len(rows), len(facts))
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A row is one of the file.
type row struct {
	platform, category, name, domain, retention, controller string
	prefix                                                  bool // the name is only how a name begins
}

var columns = []string{"platform", "category", "name", "domain", "retention", "controller", "wildcard"}

// read returns the rows of a file, or every mistake in it.
func read(file string) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1 // counted below, so that one row does not hide the next
	var rows []row
	var mistakes []error
	for first := true; ; first = false {
		fields, err := r.Read()
		if err == io.EOF {
			if len(rows) == 0 && mistakes == nil {
				mistakes = append(mistakes, fmt.Errorf("%s: no row", file))
			}
			return rows, errors.Join(mistakes...)
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", file, parse.StartLine, parse.Err))
			continue
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		wrong := func(reason string, args ...any) {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(reason, args...)))
		}
		switch {
		case len(fields) != len(columns):
			wrong("%d fields in place of %d", len(fields), len(columns))
		case first && !slices.Equal(fields, columns):
			wrong("the first line is not %s", strings.Join(columns, ","))
		case !first:
			if r, ok := check(fields, wrong); ok {
				rows = append(rows, r)
			}
		}
	}
}

func check(fields []string, wrong func(string, ...any)) (row, bool) {
	ok := true
	for i, field := range fields {
		if !utf8.ValidString(field) || strings.ContainsFunc(field, unicode.IsControl) {
			wrong("%s %q is not text", columns[i], field)
			ok = false
		}
		// The data holds characters that nobody sees, such as a soft hyphen.
		fields[i] = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, field))
	}
	r := row{fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6] == "1"}
	if r.name == "" {
		wrong("name is empty")
		ok = false
	}
	if _, known := categories[r.category]; !known {
		wrong("category %q is none of %s", r.category, strings.Join(slices.Sorted(maps.Keys(categories)), ", "))
		ok = false
	}
	if fields[6] != "0" && fields[6] != "1" {
		wrong("wildcard %q is neither 0 nor 1", fields[6])
		ok = false
	}
	// Two rows of the data have these in each other's place.
	if lifetime(r.controller) != "?" && lifetime(r.retention) == "?" {
		r.controller, r.retention = r.retention, r.controller
	}
	return r, ok
}

// categories maps those of the data to ours. "Functional" and "Necessary" there
// are what a product needs to work as its maker likes, not what the law exempts,
// and "Security" guards its maker too: nothing is exempt by its category, only
// what the list called necessary names. Analytics are not known to be anonymous.
var categories = map[string]string{
	"Analytics":       "statistics",
	"Functional":      "first-party",
	"Marketing":       "third-party",
	"Necessary":       "first-party",
	"Personalization": "first-party",
	"Security":        "first-party",
}

// necessary are the cookies that serve nothing but what the visitor asked for, as
// the CNIL's guidelines of 17 September 2020 list it (number 49): logins,
// baskets, the choice about cookies itself, the balance between servers, and the
// security of a login or a form. Most are set by software that runs on the
// site's own servers.
var necessary = words(`
	PHPSESSID __Secure-PHPSESSID JSESSIONID ASPSESSIO ASP.NET_SessionId laravel_session rack.session _rails_session
	CGISESSID CAKEPHP ci_session CraftSessionId next-auth. __Secure-next-auth.callback-url __Host-next-auth.csrf-token
	.ASPXAUTH NOPCOMMERCE.AUTH wordpress_logged_in_ KEYCLOAK_SESSION KEYCLOAK_IDENTITY AUTH_SESSION_ID
	AUTH_SESSION_ID_LEGACY KC_RESTART KC_STATE_CHECKER KC_AUTH_STATE fe_typo_user be_typo_user pmaAuth- PLESKSESSID
	xf_session xf_csrf bbsessionhash
	XSRF-TOKEN .AspNetCore.Antiforgery. __RequestVerificationToken __AntiXsrfToken CRAFT_CSRF_TOKEN CMSCsrfCookie form_key
	AWSALB AWSALBCORS AWSALBTG AWSALBTGCORS AWSELB AWSELBCORS ARRAffinity ARRAffinitySameSite
	ApplicationGatewayAffinity ApplicationGatewayAffinityCORS BIGipServer SERVERID INGRESSCOOKIE GCLB __cflb
	woocommerce_cart_hash woocommerce_items_in_cart wp_woocommerce_session_
	CookieConsent OptanonConsent OptanonAlertBoxClosed CookieScriptConsent cookieyes-consent cky-consent
	CookieLawInfoConsent viewed_cookie_policy cmplz_choice complianz_consent_status borlabs-cookie didomi_token
	axeptio_cookies axeptio_authorized_vendors cookieconsent_status cookiefirst-consent osano_consentmanager
	hu-consent moove_gdpr_popup CookieControl TC_PRIVACY _iub_cs-
`)

// misleading are names that the data ascribes to one of those who use them.
var misleading = words(`
	connect.sid ajs_anonymous_id ajs_user_id ajs_group_id amplitude_id euconsent-v2 usprivacy receive-cookie-deprecation
	_pk_id. _pk_ses. ASP.NET_Sessio JSESSIO
`)

// telling are names that everybody knows, however short.
var telling = words(`_ga _ga_`)

// general are words of which a name on any site may consist; nothing else in it,
// and it tells nobody's.
var general = words(`
	a ab access account active admin ads all anonymous api app appid auth auto browser cache callback campaign cart chat check client code
	color config consent cookie cookies country csrf currency data date debug default device dnt done email enabled error event expires
	external first flag form fonts frontend gdpr geo group guest hash has height history home host http id ids in index info init
	input inst ip is key lang language last layout level list loaded local locale location log logged login logout mark me media mode
	name new next nonce note opt optin out optout origin page partner path persistent ping pref preferences prefs presence
	previous privacy product put query recent recently recs redirect ref referer referrer remember request reset return role route saml
	save screen search secure seen server sess session sessionid set settings shop sid site sort source src sso start state status
	store style sync tab target temp test theme time timestamp timezone to token track tracking type tz uid uids uuid unique url user
	userid userlang username uuidc val value variant version view viewed viewer visit visitor visits welcome width wp
	accepted agreement alive attribution audience audit autocomplete blur comments component contact content conversion current
	customer discount euconsent europe focus functional keep landing master method no orig payment pixel player pool preview private
	ratio secret section shopping string term
`)

// narrower are the patterns of names that begin as any name might and end alike.
var narrower = map[string]string{"mp_": "mp_*_mixpanel"}

func words(s string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

// leastLetters is how much a name must hold to tell something.
const leastLetters = 3

// tells reports whether the name of r points at one provider: a short name, or
// one of general words, is anybody's.
func (r row) tells() bool {
	if necessary[r.name] || telling[r.name] || narrower[r.name] != "" {
		return true
	}
	letters := 0
	for _, c := range r.name {
		if !isSeparator(c) {
			letters++
		}
	}
	// "_ga" and "IDE" say something; "did" and "fr" are anybody's.
	if !strings.HasPrefix(r.name, "_") && strings.ToUpper(r.name) != r.name {
		letters--
	}
	if letters < leastLetters || misleading[r.name] || r.retention == "Local Storage" {
		return false
	}
	for _, word := range strings.FieldsFunc(split.ReplaceAllString(r.name, "${1}_${2}"), isSeparator) {
		if !general[strings.ToLower(word)] {
			return true
		}
	}
	return false
}

// split finds where a new word begins in a name without separators.
var split = regexp.MustCompile(`([a-z])([A-Z])`)

func isSeparator(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func endsInSeparator(name string) bool {
	r, _ := utf8.DecodeLastRuneInString(name)
	return isSeparator(r)
}

// A fact is what one name, or pattern of names, tells: of a provider and its
// service, or of a library and what it makes.
type fact struct {
	pattern, provider, service, category, lifetime string
	library, kind                                  string
}

// libraries are the names that Go libraries give their cookies by default, from
// their own source. The provider is the site that runs them.
var libraries = []fact{
	// cookieName and defaultAge in csrf.go, v1.7.3
	{pattern: "_gorilla_csrf", category: "necessary", lifetime: "12h", library: "gorilla/csrf", kind: "a CSRF token"},
	// CookieName and MaxAge in handler.go, v1.2.0
	{pattern: "csrf_token", category: "necessary", lifetime: "365d", library: "justinas/nosurf", kind: "a CSRF token"},
	// DefaultCSRFConfig in middleware/csrf.go, v5.4.4
	{pattern: "_csrf", category: "necessary", lifetime: "1d", library: "labstack/echo", kind: "a CSRF token"},
	// New in session.go, v2.9.0
	{pattern: "session", category: "necessary", lifetime: "1d", library: "alexedwards/scs", kind: "a session"},
}

// distinct makes facts of the rows that tell one, and drops each name that two
// providers use.
func distinct(rows []row) []fact {
	spelling := spellings(rows)
	found := make(map[string]fact)
	disputed := make(map[string]bool)
	for _, r := range rows {
		if !r.tells() {
			continue
		}
		for _, pattern := range r.patterns() {
			f := fact{pattern: pattern, provider: spelling[strings.ToLower(r.provider())], service: r.platform, category: r.mapped(), lifetime: lifetime(r.retention)}
			if strings.EqualFold(f.service, f.provider) {
				f.service = ""
			}
			before, twice := found[pattern]
			disputed[pattern] = disputed[pattern] || twice && before.provider != f.provider
			if !twice {
				found[pattern] = f
			}
		}
	}
	maps.DeleteFunc(found, func(pattern string, _ fact) bool { return disputed[pattern] })
	return slices.Collect(maps.Values(found))
}

// patterns returns the names of r in the form that declarations have, none where
// a declaration cannot have one.
func (r row) patterns() []string {
	name := strings.ReplaceAll(r.name, "NNN", "*")
	if strings.ContainsAny(name, " ,;=%") || strings.Count(name, "*") > 1 {
		return nil
	}
	switch {
	case narrower[r.name] != "":
		return []string{narrower[r.name]}
	case !r.prefix:
		return []string{name}
	case !endsInSeparator(name) && len(name) < 6 && !strings.Contains(name[1:], "_"):
		// "_gat" is how "_gate" begins too.
		return []string{name, name + "_*"}
	default:
		return []string{name + "*"}
	}
}

// provider returns who sets the cookie: who controls it, which the data knows not
// of every one.
func (r row) provider() string {
	if r.controller == "" || strings.Contains(strings.ToLower(r.controller), "website") {
		return r.platform
	}
	return r.controller
}

func (r row) mapped() string {
	category := categories[r.category]
	switch {
	case necessary[r.name]:
		return "necessary"
	case category == "first-party" && r.domain != "": // it is set on another site
		return "third-party"
	default:
		return category
	}
}

// spellings returns of each provider, in lower case, the spelling that most rows
// have, since consent is asked for by it.
func spellings(rows []row) map[string]string {
	count := make(map[string]int)
	for _, r := range rows {
		count[r.provider()]++
	}
	best := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(count)) {
		key := strings.ToLower(name)
		if before, known := best[key]; !known || count[name] > count[before] {
			best[key] = name
		}
	}
	return best
}

var (
	session = regexp.MustCompile(`^(session|sessions|session cookie|end of session.*|0 days?)$`)
	span    = regexp.MustCompile(`(\d+) ?(second|sec|minute|min|hour|day|week|month|year)s?\b`)
	units   = map[string]time.Duration{
		"second": time.Second, "sec": time.Second, "minute": time.Minute, "min": time.Minute, "hour": time.Hour,
		"day": day, "week": 7 * day, "month": 30 * day, "year": 365 * day,
	}
)

const day = 24 * time.Hour

// lifetime reads free text. Where it names several spans of time the longest
// counts, since visitors are told no less than what is so; where it says that it
// may be longer still, nothing is known.
func lifetime(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	if session.MatchString(text) {
		return "0"
	}
	var longest time.Duration
	for _, found := range span.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil || n > 100*365 {
			return "?"
		}
		longest = max(longest, time.Duration(n)*units[found[2]])
	}
	if longest == 0 || strings.Contains(text, "longer") {
		return "?"
	}
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}} {
		if longest%unit.length == 0 {
			return strconv.Itoa(int(longest/unit.length)) + unit.letter
		}
	}
	return strconv.Itoa(int(longest/time.Second)) + "s"
}

// format writes what facts share once: provider and service or library and kind,
// then category and lifetime.
func format(facts []fact) string {
	slices.SortFunc(facts, func(a, b fact) int {
		return cmp.Or(strings.Compare(a.library, b.library), strings.Compare(a.provider, b.provider), strings.Compare(a.service, b.service),
			strings.Compare(a.category, b.category), strings.Compare(a.lifetime, b.lifetime), strings.Compare(a.pattern, b.pattern))
	})
	var b strings.Builder
	b.WriteString(header)
	var last fact
	for i, f := range facts {
		of := i > 0 && f.provider == last.provider && f.service == last.service && f.library == last.library && f.kind == last.kind
		switch {
		case of:
		case f.library != "":
			fmt.Fprintf(&b, "\n%%%s\t%s", f.library, f.kind)
		default:
			fmt.Fprintf(&b, "\n@%s", f.provider)
			if f.service != "" {
				fmt.Fprintf(&b, "\t%s", f.service)
			}
		}
		if !of || f.category != last.category || f.lifetime != last.lifetime {
			fmt.Fprintf(&b, "\n%s %s", f.category, f.lifetime)
		}
		b.WriteString(" " + f.pattern)
		last = f
	}
	b.WriteString("\n")
	return b.String()
}
