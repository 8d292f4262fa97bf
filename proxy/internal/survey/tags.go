package survey

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// A tag is what others give sites to put in their pages: how it is known, and what it
// stores in a browser, under names such as it gives.
type tag struct {
	marks   []string // any of which is in the address or the text of its script
	cookies []string
}

var tags = []tag{
	{[]string{"googletagmanager.com/gtag/js?id=G-", "'G-", `"G-`}, []string{"_ga", "_ga_A1B2C3D4E5"}},
	{[]string{"google-analytics.com/analytics.js", "google-analytics.com/ga.js", "'UA-", `"UA-`}, []string{"_ga", "_gid", "_gat"}},
	{[]string{"googletagmanager.com/gtag/js?id=AW-", "'AW-", `"AW-`, "googleadservices.com/pagead"}, []string{"_gcl_au"}},
	{[]string{"/matomo.js", "/piwik.js", "/matomo.php", "/piwik.php", "_paq.push", "cdn.matomo.cloud"}, []string{"_pk_id.1.1fff", "_pk_ses.1.1fff"}},
	{[]string{"connect.facebook.net", "fbq("}, []string{"_fbp"}},
	{[]string{"static.hotjar.com", "_hjSettings"}, []string{"_hjSessionUser_1", "_hjSession_1"}},
	{[]string{"clarity.ms/tag"}, []string{"_clck", "_clsk"}},
	{[]string{"bat.bing.com"}, []string{"_uetsid", "_uetvid"}},
	{[]string{"snap.licdn.com"}, []string{"li_fat_id"}},
	{[]string{"analytics.tiktok.com", "ttq.load"}, []string{"_ttp"}},
	{[]string{"s.pinimg.com/ct", "pintrk("}, []string{"_pin_unauth"}},
	{[]string{"static.criteo.net"}, []string{"cto_bundle"}},
	{[]string{"sc-static.net/scevent", "snaptr("}, []string{"_scid"}},
	{[]string{"js.hs-scripts.com", "js.hs-analytics.net"}, []string{"hubspotutk", "__hstc", "__hssc", "__hssrc"}},
	{[]string{"static.klaviyo.com"}, []string{"__kla_id"}},
	{[]string{"widget.intercom.io", "intercomSettings"}, []string{"intercom-id-abc", "intercom-session-abc"}},
	{[]string{"js.stripe.com"}, []string{"__stripe_mid", "__stripe_sid"}},
}

// ownCookie finds names in scripts that set a cookie: document.cookie = "name=…".
var ownCookie = regexp.MustCompile("document\\.cookie\\s*=\\s*[\"'`]([A-Za-z0-9_.!#$%&*+^|~-]{1,64})=")

// read notes what a page loads, and what its scripts are known to store.
func (w *walk) read(ctx context.Context, v *visitor, p *page) {
	if w.report.Name == "" {
		w.report.Name = nameOf(p)
	}
	if w.report.Language == "" {
		w.report.Language = p.language
	}
	w.noteFrameworks(p)
	w.recognise(p, p.inline.String())
	for _, to := range p.forms {
		if strings.HasSuffix(to.Path, "/i18n/setlang/") { // Django's own form for the language
			w.add(p, "django_language")
		}
	}
	for _, held := range p.held {
		w.recognise(p, held.String())
	}
	for _, loaded := range p.loads {
		known := w.recognise(p, loaded.String())
		switch {
		case w.charter != nil && loaded.Host == w.URL.Host && strings.HasPrefix(loaded.Path, charterPath):
		case loaded.Host != w.URL.Host && !known:
			w.report.Hosts = append(w.report.Hosts, loaded.Host)
		case loaded.Host == w.URL.Host && isScript(loaded) && !w.scripts[loaded.Path] && len(w.scripts) < maxScripts:
			w.scripts[loaded.Path] = true
			if text, err := v.get(ctx, loaded); err == nil {
				w.recognise(p, string(text))
			}
		}
	}
}

// add notes a cookie that no answer has set.
func (w *walk) add(p *page, name string) {
	w.found.Add(inventory.Observation{Kind: consent.HTTPCookie, Name: name, Page: p.address.Path})
}

func isScript(u *url.URL) bool {
	return strings.HasSuffix(u.Path, ".js") || strings.HasSuffix(u.Path, ".mjs")
}

// recognise notes what the script of that address or text stores, and reports whether it
// is one that is known.
func (w *walk) recognise(p *page, script string) (known bool) {
	add := func(name string) {
		w.report.scripted = true
		w.add(p, name)
	}
	for _, t := range tags {
		for _, mark := range t.marks {
			if strings.Contains(script, mark) {
				known = true
				for _, name := range t.cookies {
					add(name)
				}
				break
			}
		}
	}
	for _, found := range ownCookie.FindAllStringSubmatch(script, 100) {
		add(found[1])
	}
	return known
}

// nameOf returns the name of the site, as a page gives it.
func nameOf(p *page) string {
	name := p.name
	if name == "" {
		name = p.title
		for _, separator := range []string{" | ", " – ", " — ", " - ", " · "} {
			if i := strings.LastIndex(name, separator); i >= 0 {
				name = name[i+len(separator):] // pages usually say their own title first
			}
		}
	}
	const longest = 60
	if len(name) > longest {
		return ""
	}
	return strings.TrimSpace(name)
}
