package consent

import (
	"fmt"
	"slices"

	"github.com/cookiecharter/consent/internal/attribute"
)

// A Kind says where a declared tracer lies; the law is about all that is stored on a
// device or read from it (Directive 2002/58/EC, article 5(3)). The middleware goes by
// HTTP cookies, the zero Kind; the charter's script deletes from a browser's storages.
type Kind uint8

const (
	HTTPCookie Kind = iota
	LocalStorage
	SessionStorage
	IndexedDB    // Name is a database's
	CacheStorage // Name is a cache's
	Other        // what only words can describe, such as a pixel or a fingerprint; nothing can delete it
)

var kindNames = [...]string{"cookie", "localStorage", "sessionStorage", "indexedDB", "cacheStorage", "other"}

// String returns "cookie", "localStorage", "sessionStorage", … as documents name kinds.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// A Provider says who is behind a [Cookie.Provider], which visitors have a right to
// know before they consent (EDPB guidelines 05/2020, §§ 64 and 65). Name alone is required.
type Provider struct {
	Name      string `json:"name"`                // as [Cookie.Provider] has it
	LegalName string `json:"legalName,omitempty"` // of the company that gets the data
	Country   string `json:"country,omitempty"`   // where it is, by ISO 3166-1: two capital letters
	Policy    string `json:"policy,omitempty"`    // the address of its own privacy policy, with http:// or https://
}

// WithProviders returns the registry with details of its providers. The error joins
// every mistake as a [*FieldError]; a provider that declares nothing is one.
func (r *Registry) WithProviders(providers ...Provider) (*Registry, error) {
	var mistakes mistakeList
	for i, p := range providers {
		wrong := mistakes.in(FieldError{Provider: p.Name, Index: i})
		if !slices.ContainsFunc(r.cookies, func(c Cookie) bool { return c.Provider == p.Name }) {
			wrong("Name", "no cookie of %q is declared", p.Name)
		} else if slices.ContainsFunc(providers[:i], func(other Provider) bool { return other.Name == p.Name }) {
			wrong("Name", "%q stands here twice", p.Name)
		}
		if err := attribute.CheckCountry(p.Country); p.Country != "" && err != nil {
			wrong("Country", "%q %v", p.Country, err)
		}
		if err := attribute.CheckAddress(p.Policy); p.Policy != "" && err != nil {
			wrong("Policy", "%q %v", p.Policy, err)
		}
	}
	if err := mistakes.err(); err != nil {
		return nil, err
	}
	with := *r
	with.providers = slices.Clone(providers)
	return &with, nil
}

// Providers returns what [Registry.WithProviders] was given.
func (r *Registry) Providers() []Provider { return slices.Clone(r.providers) }
