package site

import (
	"strings"
	"sync"

	"github.com/cookiecharter/consent"
)

// Each name is a series of figures that Prometheus keeps, and a site may make a name for
// each visitor.
const (
	maxDeclared   = 1000
	maxUndeclared = 100
	maxName       = 64 // bytes
	otherName     = "*"
)

// names are those under which cookies count.
type names struct {
	mu         sync.Mutex
	known      map[string]bool
	undeclared int
}

// of returns the name under which a cookie counts: that of the declaration which it falls
// under, and for a few that are not declared their own.
func (n *names) of(cookie string, registry *consent.Registry) string {
	name, limit := cookie, maxUndeclared
	if declared := registry.Lookup(cookie); len(declared) > 0 {
		name, limit = declared[0].Name, maxDeclared
	}
	if len(name) > maxName {
		name = name[:maxName]
	}
	name = strings.ToValidUTF8(name, "?") // or Prometheus takes no figure at all
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[name] {
		return name
	}
	count := len(n.known) - n.undeclared
	if limit == maxUndeclared {
		count = n.undeclared
	}
	if count >= limit {
		return otherName
	}
	if n.known == nil {
		n.known = make(map[string]bool)
	}
	if limit == maxUndeclared {
		n.undeclared++
	}
	n.known[name] = true
	return name
}
