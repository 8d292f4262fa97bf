package inventory

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// An Observation is what somebody else has watched a browser do on a page of the site,
// such as a scan: see [Inventory.Add].
type Observation struct {
	// Kind is what was stored; [consent.Other] is for what has no kind of its own, such as
	// a service worker.
	Kind consent.Kind
	Name string
	// Origin is the origin that was contacted, such as "https://player.example.com". If it
	// is not empty, nothing was stored, and the draft is of [consent.Other] and named for
	// the host.
	Origin string

	// Page is the path of the page.
	Page string
	// SetHere says that a response of the site has set the cookie; else it was a script,
	// or another host.
	SetHere bool
	// Attributes are those of a cookie, if they are known.
	Attributes *consent.Attributes
}

// Add notes what somebody else has watched. A name that is declared is passed over, and so
// is an empty one; which origins are declared, the caller knows.
func (inv *Inventory) Add(o Observation) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	s := inv.sightingOf(o)
	if s == nil {
		return
	}
	if o.SetHere {
		s.set++
		s.setOn.add(o.Page)
	} else {
		s.sent++
		s.sentTo.add(o.Page)
	}
	s.at(time.Now())
	if o.Attributes != nil {
		s.with(*o.Attributes, 1)
	}
}

// sightingOf returns the sighting to which o adds, nil if there is none.
func (inv *Inventory) sightingOf(o Observation) *sighting {
	if o.Origin != "" {
		return inv.contact(o.Origin)
	}
	t := &inv.requests
	if o.SetHere {
		t = &inv.responses
	}
	switch o.Kind {
	case consent.HTTPCookie:
	case consent.Other:
		t = &inv.others
	default:
		i := slices.Index(storages, o.Kind)
		if i < 0 {
			return nil
		}
		t = &inv.storages[i]
	}
	if o.Name == "" || t.declared.by(o.Name) != "" {
		return nil
	}
	return t.find(o.Name)
}

// A contact is a host that pages contact.
type contact struct {
	sighting
	origins []string
}

// maxOrigins is how many origins of one host are kept: its schemes.
const maxOrigins = 4

// contact returns the sighting of an origin's host, nil if it is no origin or if there is
// no room for it.
func (inv *Inventory) contact(origin string) *sighting {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || len(origin) > maxName {
		return nil
	}
	c := inv.contacts[u.Host]
	if c == nil {
		if len(inv.contacts) == maxStored {
			inv.responses.forgotten++
			return nil
		}
		c = &contact{sighting: sighting{name: u.Host}}
		inv.contacts[u.Host] = c
	}
	if !slices.Contains(c.origins, origin) && len(c.origins) < maxOrigins {
		c.origins = append(c.origins, strings.Clone(origin))
	}
	return &c.sighting
}

// finding returns what a report says of a host that was contacted.
func (c *contact) finding() finding {
	return finding{
		Name: c.name, Kind: stored(consent.Other), Origins: slices.Sorted(slices.Values(c.origins)),
		seen: c.report(), Requests: c.sent, SentTo: c.sentTo.sorted(), Known: hostKnowledge(c.name),
	}
}
