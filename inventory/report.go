package inventory

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/pattern"
	"github.com/cookiecharter/consent/internal/variable"
)

// A report is what an inventory has found so far. JSON shows it as it is.
type report struct {
	Since     time.Time `json:"since"`
	Cookies   []finding `json:"cookies"`
	Faults    []fault   `json:"faults"`
	Forgotten int       `json:"forgotten"` // sightings of names that were too many, or too long
}

// A finding is a cookie, or what lies in a storage of browsers, that nobody declared; or
// several that share a pattern.
type finding struct {
	Name     string   `json:"name"`
	Kind     stored   `json:"kind,omitzero"`      // nothing for a cookie
	Origins  []string `json:"origins,omitempty"`  // of a host that was contacted
	Examples []string `json:"examples,omitempty"` // of the names that a pattern stands for
	seen
	Requests int        `json:"requests"` // that carried it, or told of it
	SentTo   places     `json:"sentTo,omitzero"`
	Known    *knowledge `json:"known,omitempty"`
}

// A fault is a cookie that is not as it was declared, or a line that no browser
// reads for certain.
type fault struct {
	Name   string         `json:"name"`
	Reason consent.Reason `json:"reason"`
	seen
}

type seen struct {
	Set        int          `json:"set"` // in Set-Cookie lines, whether they left the middleware or not
	SetOn      places       `json:"setOn,omitzero"`
	First      time.Time    `json:"first"`
	Last       time.Time    `json:"last"`
	Attributes []attributes `json:"attributes,omitempty"` // the most frequent first
}

type attributes struct {
	Domain      string `json:"domain,omitempty"`
	Path        string `json:"path"`
	Seconds     int64  `json:"seconds"` // that it is kept; 0 until the browser is closed
	Secure      bool   `json:"secure,omitempty"`
	HttpOnly    bool   `json:"httpOnly,omitempty"`
	Partitioned bool   `json:"partitioned,omitempty"`
	SameSite    string `json:"sameSite,omitempty"`
	Lines       int    `json:"lines"`
}

type knowledge struct {
	Name     string           `json:"name"`
	Provider string           `json:"provider,omitempty"`
	Service  string           `json:"service,omitempty"`
	Library  string           `json:"library,omitempty"` // that has the name by default
	Kind     string           `json:"kind,omitempty"`    // what that library's cookie is
	Category consent.Category `json:"category"`
	Purpose  consent.Category `json:"purpose,omitempty"` // "" if it is not known
	Seconds  *int64           `json:"seconds,omitempty"` // nil if it is not known
}

// report puts together what responses and requests have shown.
func (inv *Inventory) report() report {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	r := report{
		Since:     inv.since,
		Cookies:   []finding{},
		Faults:    []fault{},
		Forgotten: inv.responses.forgotten + inv.requests.forgotten,
	}
	r.Cookies = append(r.Cookies, findings(consent.HTTPCookie, inv.declared, &inv.responses, &inv.requests)...)
	for i, kind := range storages {
		t := &inv.storages[i]
		r.Cookies = append(r.Cookies, findings(kind, t.declared, t)...)
		r.Forgotten += t.forgotten
	}
	r.Cookies = append(r.Cookies, findings(consent.Other, inv.others.declared, &inv.others)...)
	r.Forgotten += inv.others.forgotten
	for _, c := range inv.contacts {
		r.Cookies = append(r.Cookies, c.finding())
	}
	for key, s := range inv.faults {
		r.Faults = append(r.Faults, fault{key.cookie, key.reason, s.report()})
	}
	slices.SortFunc(r.Cookies, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), len(a.Examples)-len(b.Examples), int(a.Kind)-int(b.Kind))
	})
	slices.SortFunc(r.Faults, func(a, b fault) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Reason), string(b.Reason)))
	})
	return r
}

// seenOn returns where browsers sent it, apart from where it was set.
func (f *finding) seenOn() places {
	others := places{More: f.SentTo.More}
	for _, path := range f.SentTo.Paths {
		if !slices.Contains(f.SetOn.Paths, path) {
			others.Paths = append(others.Paths, path)
		}
	}
	return others
}

// merge copies the sightings of several tables into one, in which names may come
// together under a pattern that were too few in each.
func merge(d *declared, tables ...*table) []*sighting {
	all := newTable(d, math.MaxInt)
	for _, t := range tables {
		for name, s := range t.patterns {
			to := all.patterns[name]
			if to == nil {
				to = all.put(name, all.patterns)
			}
			for _, example := range s.examples {
				to.example(example)
			}
			to.shortest, to.longest = min(to.shortest, s.shortest), max(to.longest, s.longest)
			to.add(s)
		}
	}
	for _, t := range tables {
		for _, name := range slices.Sorted(maps.Keys(t.names)) { // so that the examples are the same each time
			all.find(name).add(t.names[name])
		}
	}
	all.absorb()
	return all.all
}

// absorb brings names under a pattern that escaped it, since chance gave their
// random part letters only.
func (t *table) absorb() {
	var patterns pattern.Set[*sighting]
	for name, s := range t.patterns {
		patterns.Put(name, s)
	}
	for _, name := range slices.Sorted(maps.Keys(t.names)) {
		s := t.names[name]
		to, ok := patterns.Match(name)
		if !ok || strings.Contains(name, "*") {
			continue
		}
		before, after, _ := strings.Cut(to.name, "*")
		part := name[len(before) : len(name)-len(after)]
		if len(part) >= 8 && len(part) >= to.shortest && len(part) <= to.longest && variable.MixedCase(part) {
			to.example(name)
			to.add(s)
			t.remove(s)
		}
	}
}

func (s *sighting) report() seen {
	r := seen{
		Set:   s.set,
		SetOn: s.setOn.sorted(),
		First: s.first,
		Last:  s.last,
	}
	for _, v := range s.variants {
		r.Attributes = append(r.Attributes, attributes{
			Domain:      v.Domain,
			Path:        v.Path,
			Seconds:     int64(v.Lifetime / time.Second),
			Secure:      v.Secure,
			HttpOnly:    v.HttpOnly,
			Partitioned: v.Partitioned,
			SameSite:    v.SameSite,
			Lines:       v.lines,
		})
	}
	slices.SortStableFunc(r.Attributes, func(a, b attributes) int {
		return cmp.Or(b.Lines-a.Lines, strings.Compare(a.Path, b.Path), strings.Compare(a.Domain, b.Domain))
	})
	return r
}

// knowledge returns what is known of a cookie by its name; nil for nothing.
func (s *sighting) knowledge() *knowledge {
	name := s.name
	if s.isPattern() {
		name = s.examples[0]
	}
	f := recall(name)
	if f == nil {
		return nil
	}
	k := &knowledge{Name: f.pattern, Provider: f.provider, Service: f.service, Library: f.library, Kind: f.kind, Category: f.category, Purpose: f.purpose}
	if f.timed {
		seconds := int64(f.lifetime / time.Second)
		k.Seconds = &seconds
	}
	return k
}
