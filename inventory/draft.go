package inventory

import (
	"errors"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// Draft returns a draft of the declaration of one name that nobody declared: what is known
// of well-known names, and TODO for the rest, which a registry refuses. Its Name is a
// pattern if the name is known to come in many forms. For [consent.Other] it may be a host
// that pages contact. Attributes are those of a cookie, nil
// if they are not known. The error says why no declaration can have the name.
func Draft(kind consent.Kind, name string, attributes *consent.Attributes) (consent.Cookie, error) {
	s := sighting{name: name}
	f := finding{Name: name, Kind: stored(kind), Known: s.knowledge()}
	isHost := false
	if kind == consent.Other {
		if known := hostKnowledge(name); known != nil {
			f.Known, isHost = known, true
		}
	}
	if kind != consent.HTTPCookie && f.Known != nil && f.Known.Library != "" {
		f.Known = nil // a library of Go gives its name to a cookie
	}
	if f.Known != nil && !isHost {
		f.Name, f.Examples = f.Known.Name, []string{name}
	}
	if attributes != nil {
		f.Attributes = attributesOf(*attributes)
	}
	c, impossible := f.declaration()
	if impossible != "" {
		return c, errors.New(impossible)
	}
	return c, nil
}

func attributesOf(a consent.Attributes) []attributes {
	return []attributes{{Domain: a.Domain, Path: a.Path, Seconds: int64(a.Lifetime / time.Second)}}
}

// Source returns a declaration in Go, as gofmt writes it, with a comma after it. Set
// elsewhere marks for consentvet what no code of the site sets.
func Source(c consent.Cookie, elsewhere bool) string {
	var b strings.Builder
	writeDeclaration(&b, c, elsewhere)
	return strings.TrimSuffix(strings.ReplaceAll("\n"+b.String(), "\n\t", "\n"), "\n")[1:]
}
