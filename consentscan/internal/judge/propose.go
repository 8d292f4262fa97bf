package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/hosts"
	"github.com/cookiecharter/consent/inventory"
)

// declare returns the declaration of what nobody declared.
func (j *judge) declare(c *cause, about subject) string {
	if t := c.tracer; len(t.elsewhere) > 0 {
		d := j.cookies(t.elsewhere)[0]
		return fmt.Sprintf("In the declaration of %s by %s write Origins: []string{%q}, if that provider answers for it", quote(d.Name), quote(d.Provider), plain(origin(about.host)))
	}
	e := c.doer()
	draft, impossible := inventory.Draft(seen.Declared[c.kind], e.Name, attributesOf(c.events))
	if impossible != nil {
		return "No declaration can have this name, as " + clip(impossible.Error()) + ": rename it, or do not store it"
	}
	if len(c.tracer.names) > 1 {
		draft.Name = about.name
	}
	elsewhere := c.kind == seen.Cookie && (e.By.Header == "" || c.host != "")
	if c.host != "" {
		draft.Origins = []string{origin(about.host)}
	}
	return "Declare it:\n" + inventory.Source(draft, elsewhere)
}

// attributesOf returns the attributes of a cookie that was seen, with the longest lifetime;
// nil if none are known.
func attributesOf(events []*seen.Event) (a *consent.Attributes) {
	for _, e := range events {
		if e.Attributes == nil {
			continue
		}
		if a == nil {
			at := placeOf(e.Attributes)
			a = &consent.Attributes{Domain: at.Domain, Path: at.Path}
		}
		a.Lifetime = max(a.Lifetime, e.Attributes.Lifetime)
	}
	if a != nil && a.Lifetime > 0 {
		n, unit := round(a.Lifetime)
		a.Lifetime = time.Duration(n) * unit
	}
	return a
}

// declareOrigin says what names a host that no declaration names.
func (j *judge) declareOrigin(c *cause, about subject) string {
	at := about.name
	if _, after, wild := strings.Cut(at, "*"); wild {
		_, domain, _ := strings.Cut(after, ".")
		at = "*." + domain // the form that an origin has for several hosts
	}
	whose := "of whoever answers there"
	if known := knownHost(at); known.Provider != todoConsent.Provider {
		whose = "of " + quote(known.Provider)
	}
	name := strings.TrimPrefix(hosts.Name(at), "*.")
	for _, d := range j.declarations.all {
		if domain := strings.TrimPrefix(d.Domain, "."); domain != "" && hosts.Under(name, domain) {
			whose = "of " + quote(d.Provider)
			break
		}
	}
	return fmt.Sprintf("Write Origins: []string{%q} in the declaration %s, and hold back what contacts it; or serve the file from the site itself. %s", plain(origin(at)), whose, j.holdBack(c, subject{}))
}

// knownHost returns the category and the provider of a well-known host.
func knownHost(host string) consent.Cookie {
	if i := strings.LastIndex(host, "*"); i >= 0 { // a pattern for several hosts
		_, host, _ = strings.Cut(host[i:], ".")
	}
	draft, err := inventory.Draft(consent.Other, host, nil)
	if err != nil {
		return todoConsent
	}
	return consent.Cookie{
		Provider: cmp.Or(said(draft.Provider), todoConsent.Provider),
		Category: cmp.Or(consent.Category(said(string(draft.Category))), todoConsent.Category),
	}
}

// gates returns marks that open, as a page writes them: those of the first declarations that
// need consent.
func (d *declarations) gates() string {
	var all []string
	for _, c := range d.all {
		mark := fmt.Sprintf(`data-consent=%q data-provider=%q`, c.Category, c.Provider)
		if c.NeedsConsent() && !slices.Contains(all, mark) {
			all = append(all, mark)
		}
	}
	const most = 5
	if len(all) == 0 {
		return "none of them needs consent"
	}
	return strings.Join(all[:min(len(all), most)], ", ")
}
