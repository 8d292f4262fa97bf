// Package declare reads the declarations of a site from a file in YAML or in JSON, in the
// form of [consent.ReadRegistry].
package declare

import (
	"bytes"
	"io"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
)

// Read reads declarations from a document in YAML or, if it begins with "{", in JSON. In
// both, the fields are those of [consent.ReadRegistry]. The error holds every mistake in the
// document, each as a [*consent.DocumentError] with the line and the path where it stands.
//
// In YAML, comments, anchors and merge keys work. Texts that look like something else, such
// as a purpose that is a number, have to stand in quotation marks; "no", "on" and dates need
// none. A document has at most 16 MB, with what its anchors repeat. Of a consentproxy.yaml, as
// "consentproxy init" writes it, the object "declarations" is read, and nothing else.
func Read(from io.Reader) (*consent.Registry, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxBytes))
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\uFEFF")), " \t\r\n"), []byte("{")) {
		return consent.ReadRegistry(bytes.NewReader(data))
	}
	document, mistakes := yamldoc.Parse(data)
	if document == nil {
		return nil, yamldoc.Join(mistakes)
	}
	path := ""
	if inline := document.Get("declarations"); inline != nil && inline.IsObject() && document.Get("cookies") == nil {
		document, path = inline, "declarations"
	}
	registry, more := document.Registry(path)
	if err := yamldoc.Join(yamldoc.More(mistakes, more)); err != nil {
		return nil, err
	}
	return registry, nil
}

// maxBytes is one more than what the readers of both forms take, so that they see it.
const maxBytes = 16<<20 + 1
