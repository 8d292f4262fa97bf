package report

import (
	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/pattern"
)

// A declared says as what a tracer is declared, by its kind and name.
type declared map[consent.Kind]*pattern.Set[string]

func newDeclared(registry *consent.Registry) declared {
	if registry == nil {
		registry = new(consent.Registry)
	}
	d := make(declared)
	for _, kind := range seen.Declared {
		d[kind] = new(pattern.Set[string])
	}
	for _, c := range registry.Cookies() {
		if set := d[c.Kind]; set != nil {
			set.Put(c.Name, joined(c.Provider, string(c.Category)))
		}
	}
	return d
}

// by returns provider and category, "" if nobody declares it.
func (d declared) by(kind seen.Kind, name string) string {
	k, ok := seen.Declared[kind]
	if !ok {
		return ""
	}
	as, _ := d[k].Match(name)
	return as
}
