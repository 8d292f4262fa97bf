package consent

import (
	"errors"
	"io"

	"github.com/cookiecharter/consent/internal/document"
)

// form is a document: each field by its name with a small first letter.
type form struct {
	Schema    string   `json:"$schema,omitempty"`
	Revision  uint64   // this and Regimes are what a charter.json says of its site;
	Regimes   []string // they declare nothing
	Providers []Provider
	Cookies   []Cookie `json:"cookies"`
}

// A DocumentError is one mistake in a document. Its Path is such as "cookies[3].lifetime",
// its Line counts from 1, its Reason says what is wrong; its Err is the [*FieldError] if
// [NewRegistry] or [Registry.WithProviders] has found it, else nil.
type DocumentError = document.Mistake

// ReadRegistry reads declarations from a document in JSON: an object with "cookies", the
// fields of each [Cookie] by their names with a small first letter, and "providers". A
// lifetime is a number and a unit, such as "13 months", or "session"; a month has 30 days,
// a year 365. The error holds every mistake in the document, each as a [*DocumentError].
func ReadRegistry(from io.Reader) (*Registry, error) {
	var given form
	read, err := document.Read(from, &given)
	if err != nil {
		return nil, err
	}
	registry, err := NewRegistry(given.Cookies...)
	if read.Reject("cookies", err, fieldOf); err != nil {
		registry = &Registry{cookies: given.Cookies} // the providers may have mistakes too
	}
	registry, err = registry.WithProviders(given.Providers...)
	read.Reject("providers", err, fieldOf)
	if err := read.Err(); err != nil {
		return nil, err
	}
	return registry, nil
}

func fieldOf(err error) (index int, field, reason string) {
	mistake, _ := errors.AsType[*FieldError](err)
	return mistake.Index, mistake.Field, mistake.Reason
}

// MarshalJSON writes the declarations as [ReadRegistry] reads them. The error is for a text
// that is not UTF-8.
func (r *Registry) MarshalJSON() ([]byte, error) {
	return document.Write(form{Schema: document.Schema, Providers: r.providers, Cookies: r.cookies})
}
