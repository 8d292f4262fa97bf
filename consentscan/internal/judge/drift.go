package judge

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A drift is one thing in which a tracer is not as it was declared.
type drift struct {
	field    string // of [consent.Cookie]
	declared string // in words
	seen     string
	lifetime time.Duration // that was seen, if the field is Lifetime
	place    consent.Place // as well, if it is Domain or Path
}

const (
	// clockError is how much a lifetime may exceed the declared one, as in the middleware.
	clockError = time.Minute
	// slack is the part of a declared lifetime that does not matter: months have no
	// one length.
	slack = 20
)

// drift returns everything in which a tracer is not as one of its declarations says it
// may be; nothing if it is as one says, in one of its places. It asks what the middleware
// asks of a Set-Cookie line, so that a shorter life is no fault: visitors were told more.
func (j *judge) drift(e *seen.Event, t *tracer, permitted bool) []drift {
	if t.otherKind && e.Act != seen.Sent {
		return []drift{{field: "Kind", declared: j.declarations.all[t.declared[0]].Kind.String(), seen: string(t.kind)}}
	}
	// What is not allowed is a fault already, and shows the same once it is allowed.
	if !permitted || e.Kind != seen.Cookie || e.Attributes == nil || e.Act != seen.Stored && e.Act != seen.Kept {
		return nil
	}
	var least []drift
	for n, i := range t.declared {
		c := j.declarations.all[i]
		for m, place := range placesOf(c) {
			drifts := driftFrom(c, place, e)
			if len(drifts) == 0 {
				return nil
			}
			if n+m == 0 || len(drifts) < len(least) {
				least = drifts
			}
		}
	}
	return least
}

// placesOf returns where a cookie is declared to lie.
func placesOf(c consent.Cookie) []consent.Place {
	places := append([]consent.Place{{Domain: c.Domain, Path: c.Path}}, c.Also...)
	for i := range places {
		places[i].Path = cmp.Or(places[i].Path, "/")
		places[i].Domain = strings.ToLower(strings.TrimPrefix(places[i].Domain, "."))
	}
	return places
}

func driftFrom(c consent.Cookie, place consent.Place, e *seen.Event) (drifts []drift) {
	a := e.Attributes
	if a.Lifetime > c.Lifetime+max(clockError, c.Lifetime/slack) {
		drifts = append(drifts, drift{field: "Lifetime", declared: span(c.Lifetime), seen: span(a.Lifetime), lifetime: a.Lifetime})
	}
	if c.HttpOnly && !a.HTTPOnly {
		drifts = append(drifts, drift{field: "HttpOnly"})
	}
	if e.Third {
		return drifts // no site deletes another's cookies, so that their places do not matter
	}
	at := placeOf(a)
	if place.Domain != "" && place.Domain != at.Domain {
		drifts = append(drifts, drift{field: "Domain", declared: place.Domain, seen: at.Domain, place: at})
	}
	if a.Path != "" && a.Path != place.Path {
		drifts = append(drifts, drift{field: "Path", declared: place.Path, seen: a.Path, place: at})
	}
	return drifts
}

// placeOf returns where a browser keeps a cookie.
func placeOf(a *seen.Attributes) consent.Place {
	place := consent.Place{Path: a.Path}
	if !a.HostOnly {
		place.Domain = strings.ToLower(a.Domain)
	}
	return place
}

// worst returns the drifts of a cause, one for each field: of lifetimes the longest, of
// others the first in alphabetical order.
func worst(drifts []drift) []drift {
	slices.SortFunc(drifts, func(a, b drift) int {
		return cmp.Or(strings.Compare(a.field, b.field), cmp.Compare(b.lifetime, a.lifetime),
			strings.Compare(a.place.Domain, b.place.Domain), strings.Compare(a.place.Path, b.place.Path), strings.Compare(a.seen, b.seen))
	})
	return slices.CompactFunc(drifts, func(a, b drift) bool { return a.field == b.field })
}
