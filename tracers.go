package consent

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A Kind says where a declared tracer lies. The law is about everything that is stored
// on a visitor's device or read from it (Directive 2002/58/EC, article 5(3)). The
// middleware goes by HTTP cookies alone; the charter shows every kind, and its script
// deletes from a browser's storage what the visitor refuses. The zero Kind is HTTPCookie.
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

// String returns "cookie", "localStorage", "sessionStorage", "indexedDB",
// "cacheStorage" or "other".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// A Provider says who is behind a [Cookie.Provider], which visitors have a right to
// know before they consent (EDPB guidelines 05/2020 on consent, §§ 64 and 65). All but
// Name is optional.
type Provider struct {
	Name      string `json:"name"`                // as [Cookie.Provider] has it
	LegalName string `json:"legalName,omitempty"` // of the company that gets the data
	Country   string `json:"country,omitempty"`   // where it is, by ISO 3166-1: two capital letters
	Policy    string `json:"policy,omitempty"`    // the address of its own privacy policy, with http:// or https://
}

// WithProviders returns the registry with details of its providers. The error holds
// every mistake, each as a [*FieldError]; a provider that declares nothing is one.
func (r *Registry) WithProviders(providers ...Provider) (*Registry, error) {
	var mistakes mistakeList
	for i, p := range providers {
		wrong := mistakes.in(FieldError{Provider: p.Name, Index: i})
		if !slices.ContainsFunc(r.cookies, func(c Cookie) bool { return c.Provider == p.Name }) {
			wrong("Name", "no cookie of %q is declared", p.Name)
		} else if slices.ContainsFunc(providers[:i], func(other Provider) bool { return other.Name == p.Name }) {
			wrong("Name", "%q stands here twice", p.Name)
		}
		if len(p.Country) != 0 && (len(p.Country) != 2 || strings.Trim(p.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
			wrong("Country", "%q is not two capital letters", p.Country)
		}
		if u, err := url.Parse(p.Policy); p.Policy != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			wrong("Policy", "%q is no address that begins with https:// or http://", p.Policy)
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
