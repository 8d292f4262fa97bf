// Package declare reads the declarations of a site from a file in YAML or in JSON, the
// form of which is that of [consent.ReadRegistry].
package declare

import (
	"io"

	"github.com/cookiecharter/consent"
)

// Read reads declarations from a document in YAML or, if it begins with "{", in JSON. The
// error holds every mistake in the document, each as a [*consent.DocumentError] with the
// line and the path where it stands.
func Read(from io.Reader) (*consent.Registry, error) {
	return consent.ReadRegistry(from)
}
