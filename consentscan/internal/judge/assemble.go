package judge

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/pattern"
)

// maxPlaces is how many places a finding names.
const maxPlaces = 20

// finding makes the finding of a cause.
func (j *judge) finding(c *cause) finding.Finding {
	c.drifts = worst(c.drifts)
	about := j.subject(c)
	f := finding.Finding{
		Check: c.check, Level: c.level,
		Kind: string(c.kind), Name: about.name, Host: about.host,
		Provider: about.providers(), Category: about.categories(),
		Stages:      j.stageNames(c.events),
		Fingerprint: fingerprint(c.causeKey),
	}
	f.Places, f.More = j.places(c.events)
	f.Message = j.message(c, about)
	f.Mend = j.mend(c, about)
	f.Rule, f.Source = j.rule(c, about)
	return f
}

// A subject is what a finding is about, as a person reads it.
type subject struct {
	name, host string
	declared   []consent.Cookie // that judge it
}

func (j *judge) subject(c *cause) subject {
	about := subject{name: c.name, host: c.host}
	switch {
	case c.tracer != nil:
		t := c.tracer
		about.host = j.hostOf(t.hosts)
		about.declared = j.cookies(t.declared)
		if len(t.declared)+len(t.elsewhere) == 0 {
			about.name = t.name
			if len(t.names) == 1 || j.meets(t) {
				about.name = slices.Min(slices.Collect(maps.Keys(t.names))) // a family of one
			}
		}
	case c.contact != nil:
		about.name, about.declared = c.contact.name, j.cookies(c.contact.declared)
		if len(c.contact.hosts) == 1 {
			about.name = slices.Collect(maps.Keys(c.contact.hosts))[0]
		}
		about.host = about.name
	case c.check == finding.NeverSeen:
		about.declared, about.host = j.cookies([]int{c.number}), ""
	case c.check == finding.AnswerNotKept:
		about.host = j.site()
	}
	return about
}

// meets reports whether the pattern of undeclared names would cover what is declared, so
// that nobody should declare it.
func (j *judge) meets(t *tracer) bool {
	return strings.Contains(t.name, "*") && slices.ContainsFunc(j.declarations.all, func(c consent.Cookie) bool {
		return c.Kind == seen.Declared[t.kind] && pattern.Covers(t.name, c.Name)
	})
}

func (j *judge) cookies(numbers []int) []consent.Cookie {
	cookies := make([]consent.Cookie, len(numbers))
	for i, n := range numbers {
		cookies[i] = j.declarations.all[n]
	}
	return cookies
}

// site returns the site's own host.
func (j *judge) site() string {
	if len(j.scan.Hosts) > 0 {
		return j.scan.Hosts[0]
	}
	return ""
}

// hostOf returns the site's own host if it is among several, else the first of them.
func (j *judge) hostOf(hosts map[string]bool) string {
	if own := j.site(); hosts[own] {
		return own
	}
	return slices.Min(slices.Collect(maps.Keys(hosts)))
}

// anonymous reports whether all of it is exempt until the visitor objects.
func (s subject) anonymous() bool {
	return len(s.declared) > 0 && !slices.ContainsFunc(s.declared, func(c consent.Cookie) bool { return !c.Anonymous })
}

// providers and categories return those of all declarations, each once.
func (s subject) providers() string {
	return s.each(func(c consent.Cookie) string { return c.Provider })
}
func (s subject) categories() string {
	return s.each(func(c consent.Cookie) string { return string(c.Category) })
}

func (s subject) each(property func(consent.Cookie) string) string {
	var all []string
	for _, c := range s.declared {
		if p := property(c); !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}

// fingerprint leaves out what changes from scan to scan: ports and hosts of the site, and
// what is variable in a name.
func fingerprint(key causeKey) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(key.check), string(key.kind), key.name, key.host}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// stageNames returns the stages of events in the order of the scan.
func (j *judge) stageNames(events []*seen.Event) []string {
	orders := make(map[string]int)
	for _, e := range events {
		orders[e.Stage] = j.stage(e).order
	}
	return slices.SortedFunc(maps.Keys(orders), func(a, b string) int {
		return cmp.Or(cmp.Compare(orders[a], orders[b]), strings.Compare(a, b))
	})
}

// places returns where events happened, each place once, in the order of the stages, and
// how many are left off.
func (j *judge) places(events []*seen.Event) (places []finding.Place, more int) {
	all := make(map[finding.Place]int, len(events))
	for _, e := range events {
		all[finding.Place{Stage: e.Stage, Page: e.Page, Frame: e.Frame, How: how(e), Script: e.By.Script, Line: e.By.Line}] = j.stage(e).order
	}
	places = slices.SortedFunc(maps.Keys(all), func(a, b finding.Place) int {
		return cmp.Or(
			cmp.Compare(all[a], all[b]), strings.Compare(a.Stage, b.Stage), strings.Compare(a.Page, b.Page), strings.Compare(a.Frame, b.Frame),
			strings.Compare(a.How, b.How), strings.Compare(a.Script, b.Script), cmp.Compare(a.Line, b.Line),
		)
	})
	more = max(0, len(places)-maxPlaces)
	return places[:len(places)-more], more
}
