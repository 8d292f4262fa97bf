package browse

import (
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/hosts"
	"github.com/cookiecharter/consent/internal/setcookie"
)

type answer struct {
	stage string
	head  *network.EventResponseReceivedExtraInfo
}

// sent notes which cookies have gone with a request.
func (v *Visitor) sent(e *network.EventRequestWillBeSentExtraInfo) {
	r := v.requests[e.RequestID]
	if r == nil {
		r = new(request)
		v.requests[e.RequestID] = r
	}
	r.heads++
	stage := v.stageOf(r, r.heads)
	p := r.place
	if p.page == "" {
		p = place{page: v.page}
	}
	for _, associated := range e.AssociatedCookies {
		if len(associated.BlockedReasons) > 0 || associated.Cookie == nil {
			continue
		}
		c := associated.Cookie
		host := strings.TrimPrefix(c.Domain, ".")
		third, cloaked := v.options.Site.Third(host)
		v.record.add(seen.Event{
			Act: seen.Sent, Stage: stage, Kind: seen.Cookie, Name: short(c.Name), Host: host, Third: third, Cloaked: cloaked,
			Page: p.page, Frame: p.frame, Leaving: p.leaving, By: r.initiator, Attributes: attributes(c), Hash: v.hash(c.Value),
		})
	}
}

func (v *Visitor) received(e *network.EventResponseReceivedExtraInfo) {
	r := v.requests[e.RequestID]
	if r == nil {
		r = new(request)
		v.requests[e.RequestID] = r
	}
	a := answer{v.stageOf(r, r.bodies+2), e}
	if r.bodies < len(r.hops) {
		v.stored(r.hops[r.bodies], r.place, a)
	} else if len(r.answers) < 20 { // more redirects than a browser follows
		r.answers = append(r.answers, a)
	}
	r.bodies++
}

// stored notes what became of the Set-Cookie lines of one answer.
func (v *Visitor) stored(from hop, at place, a answer) {
	blocked := make(map[string]network.SetCookieBlockedReason)
	for _, b := range a.head.BlockedCookies {
		if len(b.BlockedReasons) > 0 {
			blocked[b.CookieLine] = b.BlockedReasons[0]
		}
	}
	for _, line := range lines(a.head.Headers) {
		reading := setcookie.Read(line, func() setcookie.Clock { return setcookie.ClockOf(now(), nil) })
		if !reading.Readable || reading.Deletion != setcookie.NoDeletion {
			continue
		}
		e := cookieEvent(line, from.host)
		e.Act, e.Stage, e.Name = seen.Stored, a.stage, short(reading.Name())
		e.Page, e.Frame, e.Leaving = from.page, at.frame, at.leaving
		e.By = seen.Cause{Header: from.whole}
		e.Third, e.Cloaked = v.options.Site.Third(e.Host)
		_, value, _ := strings.Cut(strings.SplitN(line, ";", 2)[0], "=")
		e.Hash = v.hash(strings.TrimSpace(value))
		if reason, is := blocked[line]; is {
			e.Act, e.Reason = seen.Blocked, string(reason)
		}
		v.record.add(e)
	}
}

// lines returns the Set-Cookie lines of an answer, which come joined.
func lines(headers network.Headers) (found []string) {
	for name, value := range headers {
		if joined, ok := value.(string); ok && strings.EqualFold(name, "Set-Cookie") {
			found = append(found, strings.Split(joined, "\n")...)
		}
	}
	return found
}

// cookieEvent reads the attributes of a line that host has sent or a script there has
// written. Name and Act are left out.
func cookieEvent(line, host string) seen.Event {
	read := setcookie.ReadAttributes(line, now())
	a := &seen.Attributes{
		Domain: read.Domain, HostOnly: read.Domain == "", Path: read.Path, Lifetime: read.Lifetime,
		HTTPOnly: read.HttpOnly, Secure: read.Secure, SameSite: read.SameSite, Partitioned: read.Partitioned,
	}
	if a.HostOnly {
		a.Domain = hosts.Name(host)
	}
	name, rest, _ := strings.Cut(line, ";")
	name, _, _ = strings.Cut(name, "=")
	if rest != "" {
		rest = ";" + rest
	}
	return seen.Event{Kind: seen.Cookie, Host: strings.ToLower(a.Domain), Attributes: a, Line: short(strings.TrimSpace(name) + "=…" + rest)}
}

func attributes(c *network.Cookie) *seen.Attributes {
	a := &seen.Attributes{
		Domain: strings.TrimPrefix(c.Domain, "."), HostOnly: !strings.HasPrefix(c.Domain, "."), Path: c.Path,
		HTTPOnly: c.HTTPOnly, Secure: c.Secure, SameSite: string(c.SameSite), Partitioned: c.PartitionKey != nil || c.PartitionKeyOpaque,
	}
	if !c.Session && c.Expires > 0 {
		a.Lifetime = time.Until(time.UnixMilli(int64(c.Expires * 1000))).Round(time.Second)
	}
	return a
}

func (v *Visitor) hash(value string) string {
	if v.options.Hash == nil {
		return ""
	}
	return v.options.Hash(value)
}
