package judge

import (
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// mend says what to write.
func (j *judge) mend(c *cause, about subject) string {
	switch c.check {
	case finding.StoredWithoutConsent, finding.ContactedWithoutConsent:
		if len(about.declared) == 0 {
			return j.declare(c, about) + "\nand hold it back until it is allowed. " + j.holdBack(c, about)
		}
		return j.holdBack(c, about)
	case finding.UsedAfterWithdrawal:
		if !c.has(seen.Stored) && !c.has(seen.Contacted) {
			return j.forget(c, about)
		}
		return "Load the page again after a withdrawal, as site.Script(r) does, or stop what runs when the event “consent” says so. " + j.holdBack(c, about)
	case finding.LeftBehind:
		return j.forget(c, about)
	case finding.Undeclared:
		return j.declare(c, about)
	case finding.UndeclaredOrigin:
		return j.declareOrigin(c, about)
	case finding.DeclaredOtherwise:
		return "In the declaration of " + quote(about.name) + " write " + corrected(c.drifts, about.declared) + ", or have it set as it is declared."
	case finding.NeverSeen:
		return "Take the declaration out, or let the scan go where it is used: to its page (-include, or Pages in a test), and past a login (-setup)."
	case finding.AnswerNotKept:
		return "The cookie " + quote(c.name) + " has to reach the browser and come back: look at Domain, Insecure, CookiePath and Framed of consent.Config, and whether the pages of the site have one Middleware and the same Keys."
	case finding.WrongSignal:
		return "Put site.Head(r), or /cookies/head.js without defer, before the tag, name the tag in Signals of charter.Config, and take out what else calls it with a consent."
	case finding.NeverOpens:
		return "Write the category, and the provider if there is one, as a declaration has them: " + j.declarations.gates() + "."
	case finding.BlockedByBrowser:
		return "Set it so that the browser takes it, or do not set it: look at Secure, SameSite, Domain and its prefix."
	default:
		return ""
	}
}

// doer returns the event that tells most of who did it: the first with a script or a header.
func (c *cause) doer() *seen.Event {
	i := slices.IndexFunc(c.events, func(e *seen.Event) bool { return e.By != (seen.Cause{}) })
	return c.events[max(0, i)]
}

// todoConsent stands for a category and a provider that nobody has declared yet.
var todoConsent = consent.Cookie{Category: "TODO", Provider: "TODO"}

// consentFor returns a category and a provider to wait for.
func (c *cause) consentFor(j *judge, about subject) consent.Cookie {
	if i := slices.IndexFunc(about.declared, consent.Cookie.NeedsConsent); i >= 0 {
		return about.declared[i]
	}
	if len(about.declared) > 0 {
		return about.declared[0]
	}
	needed := todoConsent
	if c.contact != nil {
		return knownHost(c.contact.name)
	}
	if c.tracer == nil {
		return needed
	}
	if elsewhere := j.cookies(c.tracer.elsewhere); len(elsewhere) > 0 {
		return elsewhere[0]
	}
	if provider, category := c.tracer.known(); category != "" {
		needed.Category = consent.Category(category)
		if provider != "" {
			needed.Provider = provider
		}
	}
	return needed
}

// holdBack says how what was done waits for consent.
func (j *judge) holdBack(c *cause, about subject) string {
	e := c.doer()
	wait := c.consentFor(j, about)
	marks := fmt.Sprintf(`data-consent="%s" data-provider="%s"`, html.EscapeString(string(wait.Category)), html.EscapeString(wait.Provider))
	ask := fmt.Sprintf("consent.state.allowed[%q]?.includes(%q)", wait.Category, wait.Provider)
	template := func(what string) string { return "<template " + marks + ">" + what + "</template>" }
	switch {
	case wait.Anonymous:
		return fmt.Sprintf("After an objection nothing may store it: ask consent.state.objection in a script, Preferences.AllowsCookie(%q) in a handler.", wait.Name)
	case e.By.Worker != "":
		return "No gate reaches a " + plain(e.By.Worker) + ": have the page start it, or tell it by postMessage, only if " + ask + "."
	case c.contact == nil && e.By.Header != "" && c.host == "":
		return "The server sets it: wrap the whole site in the Middleware (mw.Wrap, or the proxy), which takes the line out of the response until it is allowed."
	case j.isCharterScript(e):
		return "It waits already: the charter's script has brought it in, once it was allowed."
	case j.inForeignFrame(e):
		return "Hold the frame back: " + template(`<iframe src="`+attribute(e.Frame)+`"></iframe>`) + " or site.Embed, which draws a placeholder."
	case c.contact != nil && e.Transport == seen.Frame && (e.By.Script == "" || j.inPage(e)):
		return "Hold the frame back: " + template(`<iframe src="`+attribute(origin(e.Host))+`/…"></iframe>`) + " or site.Embed, which draws a placeholder."
	case e.By.Script != "" && !j.inPage(e):
		return `Hold the script back: <script type="text/plain" ` + marks + ` data-src="` + attribute(e.By.Script) + `"></script>`
	case c.contact != nil && e.Transport == seen.Script && e.By.Script != "": // the markup of the page, or a script in it
		return `Hold the script back: <script type="text/plain" ` + marks + ` data-src="` + attribute(origin(e.Host)) + `/…"></script>; if a script in the page loads it, that one too.`
	case e.By.Script != "":
		return `Hold the script in the page back: <script type="text/plain" ` + marks + `>…</script> or have it ask ` + ask + "."
	case c.contact == nil && e.By.Header != "":
		return "A response of that host sets it: hold back what loads " + plain(e.By.Header) + ": " + template("…")
	case c.contact == nil:
		return "Hold back what stores it, " + `<script type="text/plain" ` + marks + ">…</script> or " + template("…") + "; a script of your own asks " + ask + "."
	case e.Transport == seen.Script:
		return `Hold the script back: <script type="text/plain" ` + marks + ` data-src="` + attribute(origin(e.Host)) + `/…"></script>`
	default:
		return "Hold the " + string(e.Transport) + " back: " + template("…") + " around what the page writes, or, if a script does it, " + ask + "."
	}
}

func attribute(address string) string { return html.EscapeString(plain(address)) }

// inPage reports whether the script of an event stands in the page itself.
func (j *judge) inPage(e *seen.Event) bool {
	u, err := url.Parse(e.By.Script)
	return err == nil && u.Path == e.Page && j.isOwn(u)
}

// isCharterScript reports whether the script of package charter did it, which opens gates.
func (j *judge) isCharterScript(e *seen.Event) bool {
	u, err := url.Parse(e.By.Script)
	return err == nil && j.isOwn(u) && strings.HasSuffix(u.Path, "/cookies/script.js")
}

// inForeignFrame reports whether it happened in a frame of another site, whose scripts the
// site cannot hold back one by one.
func (j *judge) inForeignFrame(e *seen.Event) bool {
	u, err := url.Parse(e.Frame)
	return e.Frame != "" && (err != nil || !j.isOwn(u))
}

func (j *judge) isOwn(u *url.URL) bool {
	return slices.ContainsFunc(j.scan.Hosts, func(own string) bool { return strings.EqualFold(own, u.Host) || own == u.Hostname() })
}

// forget says how a withdrawal gets rid of what lies in the browser.
func (j *judge) forget(c *cause, about subject) string {
	if c.host != "" {
		return "No site can delete what lies at " + plain(about.host) + ": hold back what contacts that host, and ask the provider how a withdrawal is passed on. " + j.holdBack(c, about)
	}
	switch c.kind {
	case seen.Cookie:
		return "Declare where it lies, so that a withdrawal deletes it there: " + c.whereItLies(about) + ". Wrap the whole site in the Middleware, which expires what was refused."
	case seen.ServiceWorker:
		return "Nothing deletes a service worker but a script of its origin: for (const r of await navigator.serviceWorker.getRegistrations()) r.unregister();"
	default:
		kind := ""
		if k := seen.Declared[c.kind]; len(about.declared) > 0 && about.declared[0].Kind != k {
			kind = "Declare it with Kind: " + goKind(k) + ". "
		}
		return kind + `Put site.Script(r), or <script src="/cookies/script.js" defer></script>, on each page: it deletes what was refused, unless HttpOnly of consent.Config hides the answer from it.`
	}
}

// whereItLies returns the fields of a declaration for the places in which a cookie was seen.
func (c *cause) whereItLies(about subject) string {
	var places []consent.Place
	for _, e := range c.events {
		if e.Attributes == nil {
			continue
		}
		if at := placeOf(e.Attributes); !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	if len(places) == 0 {
		return "its Domain, its Path, and Also if there are several"
	}
	slices.SortFunc(places, func(a, b consent.Place) int { return strings.Compare(a.Domain+a.Path, b.Domain+b.Path) })
	return fields(places)
}

// fields writes places as those of a declaration.
func fields(places []consent.Place) string {
	text := inline(places[0])
	if len(places) > 1 {
		var also []string
		for _, p := range places[1:] {
			also = append(also, "{"+inline(p)+"}")
		}
		text += ", Also: []consent.Place{" + strings.Join(also, ", ") + "}"
	}
	return text
}

func inline(p consent.Place) string {
	path := "Path: " + quote(p.Path)
	if p.Domain == "" {
		return path
	}
	return "Domain: " + quote(p.Domain) + ", " + path
}

// corrected writes the fields of a declaration as they were seen.
func corrected(drifts []drift, declared []consent.Cookie) string {
	var all []string
	for _, d := range drifts {
		switch d.field {
		case "Kind":
			for name, kind := range seen.Declared {
				if string(name) == d.seen {
					all = append(all, "Kind: "+goKind(kind))
				}
			}
		case "Lifetime":
			all = append(all, "Lifetime: "+expression(d.lifetime))
		case "HttpOnly":
			all = append(all, "HttpOnly: false")
		default:
			place := inline(d.place)
			if len(declared) > 0 && declared[0].Domain+declared[0].Path != "" {
				place += ", or, if it lies in several places, Also: []consent.Place{{" + place + "}}"
			}
			if !slices.Contains(all, place) {
				all = append(all, place)
			}
		}
	}
	return strings.Join(all, ", ")
}

func goKind(kind consent.Kind) string {
	return "consent." + [...]string{"HTTPCookie", "LocalStorage", "SessionStorage", "IndexedDB", "CacheStorage", "Other"}[kind]
}

// expression returns a lifetime in Go, rounded.
func expression(d time.Duration) string {
	n, unit := round(d)
	name := map[time.Duration]string{24 * time.Hour: "24 * time.Hour", time.Hour: "time.Hour", time.Minute: "time.Minute", time.Second: "time.Second"}[unit]
	return fmt.Sprintf("%d * %s", n, name)
}
