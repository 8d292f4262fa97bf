package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/hosts"
)

// message says in one sentence what is wrong.
func (j *judge) message(c *cause, about subject) string {
	name := c.title(about)
	when := j.when(c, about)
	switch c.check {
	case finding.StoredWithoutConsent:
		if len(about.declared) == 0 {
			return name + " is stored " + when + ", and " + c.undeclared(j)
		}
		return name + " is stored " + when
	case finding.ContactedWithoutConsent:
		return name + " is contacted " + when + c.disguise()
	case finding.UsedAfterWithdrawal:
		return name + " is still " + c.used() + " " + when + c.disguise()
	case finding.LeftBehind:
		sent := ""
		if c.has(seen.Sent) {
			sent = ", and is still sent"
		}
		return name + " is still there " + when + sent
	case finding.Undeclared:
		return name + " is stored, and " + c.undeclared(j) + c.disguise()
	case finding.UndeclaredOrigin:
		return name + " is contacted, and no declaration names it" + c.disguise()
	case finding.DeclaredOtherwise:
		return name + " " + differs(c.drifts)
	case finding.NeverSeen:
		return name + " is declared, and was never seen"
	case finding.AnswerNotKept:
		return "the site does not know the visitor's answer any more on a later page, or asks again"
	case finding.WrongSignal:
		return plain(about.name) + " is told what the visitor has not said: " + c.reasons(plain)
	case finding.NeverOpens:
		return "a page holds something back for " + quote(about.name) + ", which nobody declared, so that it stays closed for every visitor"
	case finding.BlockedByBrowser:
		return "the browser does not take " + name + ": " + c.reasons(blockedReason)
	default:
		return name
	}
}

// title returns the name of a subject, with its provider and category.
func (c *cause) title(about subject) string {
	var b strings.Builder
	switch {
	case c.kind == host:
		b.WriteString(plain(origin(about.name)))
	case about.name == "":
		b.WriteString("a " + string(c.kind) + " without a name")
	default:
		b.WriteString(quote(about.name))
		switch {
		case c.kind == seen.Cookie, c.check == finding.DeclaredOtherwise: // which says it by itself
		case c.kind == seen.ServiceWorker:
			b.WriteString(", a service worker,")
		default:
			b.WriteString(" in " + string(c.kind))
		}
	}
	if c.tracer != nil && c.host != "" {
		b.WriteString(" of " + plain(about.host))
	}
	if len(about.declared) > 0 {
		fmt.Fprintf(&b, " (%s, %s)", plain(about.providers()), about.categories())
	}
	return b.String()
}

// origin returns the origin of a host: a scan says no scheme, and a developer's machine
// has no certificate.
func origin(at string) string {
	if hosts.IsLoopback(hosts.Name(at)) {
		return "http://" + at
	}
	return "https://" + at
}

// when says at which moments of a visitor's consent it was seen.
func (j *judge) when(c *cause, about subject) string {
	var unasked, gpc, refused, withdrawn bool
	for _, name := range j.stageNames(c.events) {
		s := j.stages[name]
		switch {
		case s == nil:
		case s.Earlier != "":
			withdrawn = true
		case s.Answered:
			refused = true
		case s.GPC:
			gpc = true
		default:
			unasked = true
		}
	}
	answer := "after it was refused"
	if about.anonymous() {
		answer = "after the visitor has objected"
	}
	var moments []string
	for _, moment := range []struct {
		is   bool
		text string
	}{
		{unasked, "before any answer"},
		{gpc && !unasked, "though the browser sends Sec-GPC"},
		{refused, answer},
		{withdrawn, "after consent was withdrawn"},
	} {
		if moment.is {
			moments = append(moments, moment.text)
		}
	}
	if last := len(moments) - 1; last > 0 {
		return strings.Join(moments[:last], ", ") + " and " + moments[last]
	}
	return strings.Join(moments, "")
}

// has reports whether an event of this act is among those of c.
func (c *cause) has(act seen.Act) bool {
	return slices.ContainsFunc(c.events, func(e *seen.Event) bool { return e.Act == act })
}

// used says how something was used after a withdrawal.
func (c *cause) used() string {
	switch {
	case c.contact != nil:
		return "contacted"
	case c.has(seen.Stored):
		return "stored"
	default:
		return "sent"
	}
}

// undeclared says what there is instead of a declaration.
func (c *cause) undeclared(j *judge) string {
	t := c.tracer
	if len(t.elsewhere) > 0 {
		by := subject{declared: j.cookies(t.elsewhere)}
		return fmt.Sprintf("its declaration (%s, %s) is not about that host", plain(by.providers()), by.categories())
	}
	provider, category := t.known()
	switch {
	case provider == "" && category == "":
		return "not declared"
	case category == "":
		return "not declared; the name is known as one of " + provider
	case provider == "":
		return "not declared; the name is known for " + category
	default:
		return "not declared; the name is known as one of " + provider + ", for " + category
	}
}

// known returns what is known of the name of an undeclared tracer.
func (t *tracer) known() (provider, category string) {
	return said(t.draft.Provider), said(string(t.draft.Category))
}

// said returns what a draft says, "" for a TODO.
func said(s string) string {
	if strings.HasPrefix(s, "TODO") {
		return ""
	}
	return s
}

// disguise says who is behind a host of the site's.
func (c *cause) disguise() string {
	behind := ""
	switch {
	case c.contact != nil:
		behind = c.contact.cloaked
	case c.tracer != nil:
		behind = c.tracer.cloaked
	}
	if behind == "" {
		return ""
	}
	return "; it is a third party in disguise, as behind that host is " + plain(behind)
}

// reasons returns the reasons of all events, each once.
func (c *cause) reasons(say func(string) string) string {
	all := make(map[string]bool)
	for _, e := range c.events {
		all[say(e.Reason)] = true
	}
	sorted := slices.Sorted(maps.Keys(all))
	const most = 5
	if len(sorted) > most {
		sorted = append(sorted[:most], "…")
	}
	return strings.Join(sorted, "; ")
}

// differs says in what a tracer is not as it was declared.
func differs(drifts []drift) string {
	var all []string
	for _, d := range drifts {
		switch d.field {
		case "Lifetime":
			all = append(all, "is kept "+d.seen+", and declared "+d.declared)
		case "Kind":
			all = append(all, "lies in "+d.seen+", and is declared as "+d.declared)
			if d.seen == string(seen.Cookie) {
				all[len(all)-1] = "is a cookie, and declared as " + d.declared
			}
		case "Domain":
			domain := "has no Domain"
			if d.seen != "" {
				domain = "has the Domain " + quote(d.seen)
			}
			all = append(all, domain+", and is declared with "+quote(d.declared))
		case "Path":
			all = append(all, "has the Path "+quote(d.seen)+", and is declared with "+quote(d.declared))
		case "HttpOnly":
			all = append(all, "can be read by scripts, and is declared HttpOnly")
		}
	}
	return strings.Join(all, "; ")
}

// how says in a few words how an event came about.
func how(e *seen.Event) string {
	var by string
	switch {
	case e.By.Script != "":
		by = "script " + plain(e.By.Script)
		if e.By.Line > 0 {
			by += fmt.Sprintf(" line %d", e.By.Line)
		}
		if e.By.Column > 0 {
			by += fmt.Sprintf(" column %d", e.By.Column)
		}
	case e.By.Header != "":
		by = "Set-Cookie of " + plain(e.By.Header)
	}
	if e.By.Worker != "" {
		by = strings.TrimSuffix(e.By.Worker+", "+by, ", ")
	}
	text := by
	switch e.Act {
	case seen.Contacted:
		text = strings.TrimSuffix(string(e.Transport)+", "+by, ", ")
	case seen.Kept:
		text = "lay in the browser when the page had come to rest"
	case seen.Sent:
		text = "sent along with a request"
	}
	if e.Leaving {
		text = strings.TrimPrefix(text+", while the page was left", ", ")
	}
	return text
}
