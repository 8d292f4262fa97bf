package inventory

import (
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/pattern"
)

// What is declared of one kind, for two questions that the registry itself is not asked: by
// which declaration a name is covered, without copies of texts, and whether a
// pattern would take something from one.
type declared struct {
	cover    pattern.Set[string]
	names    []string // sorted
	patterns []string
}

func newDeclared(registry *consent.Registry, kind consent.Kind) *declared {
	d := new(declared)
	if kind == consent.HTTPCookie {
		for _, own := range []string{consent.CookieName, account.Name(consent.CookieName)} {
			d.cover.Put(own, own)
			d.names = append(d.names, own)
		}
	}
	if registry == nil {
		return d
	}
	for _, c := range registry.Cookies() {
		if c.Kind != kind {
			continue
		}
		d.cover.Put(c.Name, c.Name)
		if strings.Contains(c.Name, "*") {
			d.patterns = append(d.patterns, c.Name)
		} else {
			d.names = append(d.names, c.Name)
		}
	}
	slices.Sort(d.names)
	return d
}

// by returns the declared name or pattern that covers a name, "" if none does.
func (d *declared) by(name string) string {
	by, _ := d.cover.Match(name)
	return by
}

// meets reports whether some name that a declaration covers begins with prefix
// and ends with suffix, so that a pattern of the two would compete with it.
func (d *declared) meets(prefix, suffix string) bool {
	i, _ := slices.BinarySearch(d.names, prefix)
	for ; i < len(d.names) && strings.HasPrefix(d.names[i], prefix); i++ {
		if len(d.names[i]) >= len(prefix)+len(suffix) && strings.HasSuffix(d.names[i], suffix) {
			return true
		}
	}
	for _, p := range d.patterns {
		before, after, _ := strings.Cut(p, "*")
		if (strings.HasPrefix(before, prefix) || strings.HasPrefix(prefix, before)) &&
			(strings.HasSuffix(after, suffix) || strings.HasSuffix(suffix, after)) {
			return true
		}
	}
	return false
}
