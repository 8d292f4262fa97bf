package survey

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/proxy/declare"
)

// A framework is known by what its pages have, and sets cookies for who signs in. The walk
// signs in nowhere: without a declaration nobody could, once cookies are removed.
type framework struct {
	name    string
	field   string   // of its forms; "" for none
	paths   []string // one of which is in the address of what its pages load
	cookies []draft
}

var signingIn = []framework{
	// The lifetimes are those that each sets unless a site says otherwise.
	{name: "Django", field: "csrfmiddlewaretoken", cookies: []draft{{Name: "sessionid", Lifetime: "14 days"}}},
	{name: "WordPress", paths: []string{"/wp-content/", "/wp-includes/"}, cookies: []draft{
		{Name: "wordpress_logged_in_*", Lifetime: "14 days"}, {Name: "wordpress_sec_*", Lifetime: "14 days"},
		{Name: "wordpress_test_cookie"}, {Name: "wp-settings-*", Lifetime: "1 year"},
	}},
}

// isOf reports whether a page is one of a framework.
func (p *page) isOf(f framework) bool {
	if f.field != "" && slices.Contains(p.fields, f.field) {
		return true
	}
	for _, loaded := range p.loads {
		if loaded.Host == p.address.Host && slices.ContainsFunc(f.paths, func(path string) bool { return strings.Contains(loaded.Path, path) }) {
			return true
		}
	}
	return false
}

// noteFrameworks notes which frameworks have made a page.
func (w *walk) noteFrameworks(p *page) {
	for _, f := range signingIn {
		if p.isOf(f) {
			w.madeBy[f.name] = true
		}
	}
}

// ofSignIns returns what the site's frameworks set for who signs in, but for what was seen.
func (w *walk) ofSignIns(seen []draft) (drafts []draft, err error) {
	usual, err := declare.Read(bytes.NewReader(frameworks))
	if err != nil {
		return nil, err
	}
	for _, f := range signingIn {
		for _, d := range f.cookies {
			if !w.madeBy[f.name] || slices.ContainsFunc(seen, func(s draft) bool { return s.Name == d.Name }) {
				continue
			}
			d.take(usual)
			d.isSiteOwn, d.setBy = true, f.name
			drafts = append(drafts, d)
		}
	}
	return drafts, nil
}
