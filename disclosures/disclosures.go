// Package disclosures translates between declarations and the files in which vendors of
// the IAB's Transparency and Consent Framework say what they store in browsers ("Vendor
// Device Storage & Operational Disclosures", v1.1 of January 2026). The address of a
// vendor's file is its deviceStorageDisclosureUrl in the Global Vendor List.
//
// Neither form says all that the other does. What [Read] cannot know says TODO, which a
// registry refuses; what [Write] cannot know follows from the category, and has to be
// checked by whoever publishes the file.
package disclosures

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A file is the part of a vendor's file that is about storage on the web.
type file struct {
	Disclosures []disclosure `json:"disclosures"`
	Domains     []domain     `json:"domains"`
}

type disclosure struct {
	Identifier    string   `json:"identifier"`
	Type          string   `json:"type"`
	MaxAgeSeconds *int64   `json:"maxAgeSeconds"` // nil for what has no lifetime of its own
	CookieRefresh *bool    `json:"cookieRefresh,omitempty"`
	Domain        string   `json:"domain,omitempty"` // the older form of Domains
	Domains       []string `json:"domains,omitempty"`
	Purposes      []int    `json:"purposes"`
	Description   string   `json:"description,omitempty"`
}

type domain struct {
	Domain   string `json:"domain"`
	Purposes []int  `json:"purposes"`
}

// The values of a disclosure's type. The third, "app", is not about browsers.
const (
	typeCookie = "cookie"
	typeWeb    = "web" // every other storage of a browser
	typeApp    = "app"
)

const (
	maxBytes     = 16 << 20
	todoPurpose  = "TODO: what it is for, in words for visitors"
	todoCategory = consent.Category("TODO")
)

// Read declares what a vendor's file discloses, under the name that the site gives to the
// provider. The purpose is the description, which such files have in English if at all; it
// says TODO in each other of the site's languages. Without any, English is meant. The
// category follows from the TCF's purposes; it says TODO if they do not tell, and if the
// vendor claims that no consent is needed, since a site cannot take its word for that.
//
// Disclosures of one name, which differ in their domains, become one declaration. A type
// of "web" is declared as [consent.LocalStorage], though it may be a database: check it.
// What only apps store is left out. The error holds every mistake in the file.
func Read(from io.Reader, provider string, languages ...language.Tag) ([]consent.Cookie, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("disclosures: the file has more than %d MB", maxBytes>>20)
	}
	var read file
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\uFEFF")), &read); err != nil {
		return nil, fmt.Errorf("disclosures: %w", err)
	}
	if read.Disclosures == nil { // a vendor that stores nothing has an empty list
		return nil, errors.New(`disclosures: the file has no "disclosures"`)
	}
	var mistakes []error
	for i, d := range read.Disclosures {
		for _, reason := range d.mistakes() {
			mistakes = append(mistakes, fmt.Errorf("disclosures: disclosures[%d]%s", i, reason))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	cookies := []consent.Cookie{}
	for _, d := range merge(read.Disclosures) {
		cookies = append(cookies, d.cookie(provider, languages))
	}
	return cookies, nil
}

// maxAge is how many seconds a lifetime can have.
const maxAge = math.MaxInt64 / int64(time.Second)

func (d disclosure) mistakes() (reasons []string) {
	if strings.Trim(d.Identifier, "*") == "" {
		reasons = append(reasons, fmt.Sprintf(".identifier: %q names nothing", d.Identifier))
	}
	if d.Type != typeCookie && d.Type != typeWeb && d.Type != typeApp {
		reasons = append(reasons, fmt.Sprintf(".type: %q is none of cookie, web, app", d.Type))
	}
	if d.MaxAgeSeconds != nil && *d.MaxAgeSeconds > maxAge {
		reasons = append(reasons, fmt.Sprintf(".maxAgeSeconds: %d is more than 292 years", *d.MaxAgeSeconds))
	}
	return reasons
}

// merge makes one of the disclosures of each name and type, with the longest lifetime.
func merge(all []disclosure) (merged []disclosure) {
	type key struct{ identifier, kind string }
	at := make(map[key]int)
	for _, d := range all {
		if d.Domain != "" {
			d.Domains = append([]string{d.Domain}, d.Domains...)
		}
		i, twice := at[key{d.Identifier, d.Type}]
		switch {
		case d.Type == typeApp:
		case !twice:
			at[key{d.Identifier, d.Type}] = len(merged)
			merged = append(merged, d)
		default:
			m := &merged[i]
			m.Domains = append(slices.Clip(m.Domains), d.Domains...)
			m.Purposes = append(slices.Clip(m.Purposes), d.Purposes...)
			m.Description = cmp.Or(m.Description, d.Description)
			if m.age() < d.age() {
				m.MaxAgeSeconds = d.MaxAgeSeconds
			}
		}
	}
	return merged
}

// age returns the lifetime in seconds; 0, and what some files have below it, is the
// browser's session.
func (d disclosure) age() int64 {
	if d.MaxAgeSeconds == nil {
		return 0
	}
	return max(*d.MaxAgeSeconds, 0)
}

func (d disclosure) cookie(provider string, languages []language.Tag) consent.Cookie {
	c := consent.Cookie{
		Provider: provider, Name: d.Identifier, Purpose: consent.Text{}, Category: categoryOf(d.Purposes),
		Lifetime: time.Duration(d.age()) * time.Second,
	}
	if len(languages) == 0 {
		languages = []language.Tag{language.English}
	}
	for _, tag := range languages {
		c.Purpose[tag] = todoPurpose
		if tag == language.English {
			c.Purpose[tag] = cmp.Or(strings.TrimSpace(d.Description), todoPurpose)
		}
	}
	if d.Type == typeWeb {
		c.Kind = consent.LocalStorage
		return c
	}
	var places []consent.Place
	for _, domain := range d.Domains {
		place := consent.Place{Domain: strings.TrimLeft(domain, "*.")}
		if !slices.Contains(places, place) { // "*" says that nobody knows
			places = append(places, place)
		}
	}
	if len(places) > 0 {
		c.Domain, c.Also = places[0].Domain, places[1:]
	}
	return c
}

// The purposes of the TCF (TCF Policies, appendix A), by what they are for. The tenth, to
// develop services, is for anything; the first, storage itself, means that consent is
// needed.
var (
	advertising     = []int{2, 3, 4, 7}
	personalisation = []int{5, 6, 11}
	measurement     = []int{8, 9}
)

// categoryOf returns the category of what serves these purposes, by the one that a visitor
// would mind most.
func categoryOf(purposes []int) consent.Category {
	has := func(some []int) bool {
		return slices.ContainsFunc(some, func(p int) bool { return slices.Contains(purposes, p) })
	}
	switch {
	case !slices.Contains(purposes, 1):
		return todoCategory
	case has(advertising):
		return consent.Advertising
	case has(personalisation):
		return consent.Personalisation
	case has(measurement):
		return consent.AudienceMeasurement
	default:
		return todoCategory
	}
}

// purposesOf returns the purposes that a declaration may serve.
func purposesOf(c consent.Cookie) []int {
	purposes := []int{}
	if c.NeedsConsent() {
		purposes = append(purposes, 1)
	}
	switch c.Category {
	case consent.Advertising:
		purposes = append(purposes, advertising...)
	case consent.Personalisation:
		purposes = append(purposes, personalisation...)
	case consent.AudienceMeasurement, consent.Statistics:
		purposes = append(purposes, measurement...)
	}
	return purposes
}

// Write discloses declarations. A cookie without a Domain, and what is no cookie, belongs to
// host. The description is the purpose in English, or in the language that comes first.
// What has [consent.Other] as its kind is no storage, and is left out. No cookie is said to
// be refreshed.
func Write(to io.Writer, host string, cookies ...consent.Cookie) error {
	written := file{Disclosures: []disclosure{}, Domains: []domain{}}
	for _, c := range cookies {
		if c.Kind == consent.Other {
			continue
		}
		d := disclosure{Identifier: c.Name, Type: typeWeb, Purposes: purposesOf(c)}
		d.Description, _ = c.Purpose.In(language.English)
		if c.Kind == consent.HTTPCookie {
			age, refreshed := int64(c.Lifetime/time.Second), false
			d.Type, d.MaxAgeSeconds, d.CookieRefresh = typeCookie, &age, &refreshed
		}
		for _, p := range append([]consent.Place{{Domain: c.Domain}}, c.Also...) {
			name := host
			if p.Domain != "" {
				name = "*." + strings.TrimPrefix(p.Domain, ".") // a Domain is for every host below it
			}
			if !slices.Contains(d.Domains, name) {
				d.Domains = append(d.Domains, name)
				written.use(name, d.Purposes)
			}
		}
		written.Disclosures = append(written.Disclosures, d)
	}
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(written)
}

// use adds what a domain is used for.
func (f *file) use(name string, purposes []int) {
	i := slices.IndexFunc(f.Domains, func(d domain) bool { return d.Domain == name })
	if i < 0 {
		i = len(f.Domains)
		f.Domains = append(f.Domains, domain{name, []int{}})
	}
	all := append(f.Domains[i].Purposes, purposes...)
	slices.Sort(all)
	f.Domains[i].Purposes = slices.Compact(all)
}
