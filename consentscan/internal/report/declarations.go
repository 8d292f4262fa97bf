package report

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/hosts"
	"github.com/cookiecharter/consent/inventory"
)

// Declarations writes a draft of declarations for what nobody declared: form is "json", as
// [consent.ReadRegistry] reads it, or "go", a file of the package pkg, "main" if that is
// empty. What a scan cannot know says TODO, which a registry refuses. No domain, host or
// address of the machine that was scanned on is declared.
func Declarations(w io.Writer, r Report, form, pkg string) error {
	if form != "json" && form != "go" {
		return fmt.Errorf("declarations are written as json or go, and not as %q", form)
	}
	found := inventory.New(r.Registry)
	for _, e := range r.Scan.Events {
		if kind, ok := seen.Declared[e.Kind]; ok && (e.Act == seen.Stored || e.Act == seen.Kept) && !r.isAnswer(e) {
			found.Add(observation(e, kind))
		}
	}
	for _, f := range r.Findings {
		host := cmp.Or(f.Name, f.Host)
		if f.Check != finding.UndeclaredOrigin || isHere(host) {
			continue
		}
		page := "/"
		if len(f.Places) > 0 {
			page = f.Places[0].Page
		}
		for _, scheme := range schemes(r.Scan.Events, host) {
			found.Add(inventory.Observation{Origin: scheme + "://" + host, Page: page})
		}
	}
	query := url.Values{"as": {form}, "package": {cmp.Or(pkg, "main")}}
	answer := httptest.NewRecorder()
	found.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil))
	if answer.Code != http.StatusOK {
		return fmt.Errorf("declarations: %s", strings.TrimSpace(answer.Body.String()))
	}
	_, err := answer.Body.WriteTo(w)
	return err
}

func observation(e seen.Event, kind consent.Kind) inventory.Observation {
	o := inventory.Observation{Kind: kind, Name: e.Name, Page: e.Page, SetHere: e.By.Header != "" && !e.Third}
	if a := e.Attributes; a != nil {
		o.Attributes = &consent.Attributes{
			Path: a.Path, Lifetime: a.Lifetime, Secure: a.Secure, HttpOnly: a.HTTPOnly, Partitioned: a.Partitioned, SameSite: a.SameSite,
		}
		if !a.HostOnly && !isHere(a.Domain) {
			o.Attributes.Domain = a.Domain
		}
	}
	return o
}

// schemes returns those by which a host was contacted. In a policy "https:" does not let
// a WebSocket in (CSP3, "scheme-part matches").
func schemes(events []seen.Event, host string) (all []string) {
	for _, e := range events {
		if e.Act != seen.Contacted || e.Host != host {
			continue
		}
		scheme := "https"
		if e.Transport == seen.WebSocket {
			scheme = "wss"
		}
		if !slices.Contains(all, scheme) {
			all = append(all, scheme)
		}
	}
	if all == nil {
		return []string{"https"} // a pattern of several hosts
	}
	return all
}

// isHere reports whether a host is where a site is developed: an address, or localhost.
func isHere(host string) bool {
	_, err := netip.ParseAddr(hosts.Name(host))
	return err == nil || hosts.IsLoopback(hosts.Name(host))
}
