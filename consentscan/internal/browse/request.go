package browse

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A request is one that a session makes, with the hops of its redirects. What the network
// tells of a hop (the lines that were really sent) may come before the hop itself.
type request struct {
	hops          []hop
	heads, bodies int      // how many hops the network has told the request and the answer of
	answers       []answer // of hops that are not known yet
	session       *chrome.Session
	answering     int    // how many hops the visitor's answer takes, that to the site included
	before, after string // the stage of their cookies, and of what comes after them
	began         time.Time
	holds         bool // the page is not at rest before it has ended
	place         place
	parent        string // of a frame: the frame that shows it; empty: the page
	initiator     seen.Cause
	transport     seen.Transport
	contact       *event // of the last hop
}

type hop struct {
	address
	page string
}

// A place is where something happens, at the moment when it does.
type place struct {
	page, frame string
	leaving     bool
}

var transports = map[network.ResourceType]seen.Transport{
	network.ResourceTypeDocument: seen.Frame, network.ResourceTypeStylesheet: seen.StyleSheet, network.ResourceTypeImage: seen.Image,
	network.ResourceTypeMedia: seen.Media, network.ResourceTypeTextTrack: seen.Media, network.ResourceTypeFont: seen.Font,
	network.ResourceTypeScript: seen.Script, network.ResourceTypeXHR: seen.Fetch, network.ResourceTypeFetch: seen.Fetch,
	network.ResourceTypePreflight: seen.Fetch, network.ResourceTypeEventSource: seen.Fetch, network.ResourceTypePrefetch: seen.Prefetch,
	network.ResourceTypePing: seen.Beacon, network.ResourceTypeManifest: seen.ManifestReq, network.ResourceTypeCSPViolationReport: seen.CSPReport,
}

// endless are those whose end nobody awaits.
var endless = map[network.ResourceType]bool{
	network.ResourceTypeEventSource: true, network.ResourceTypeMedia: true, network.ResourceTypePing: true,
	network.ResourceTypePrefetch: true, network.ResourceTypeCSPViolationReport: true,
}

func (v *Visitor) requested(s *chrome.Session, t *tab, e *network.EventRequestWillBeSent) {
	r := v.requests[e.RequestID]
	fresh := r == nil || len(r.hops) == 0
	if r == nil {
		r = new(request)
		v.requests[e.RequestID] = r
	}
	if e.RedirectResponse != nil && !e.RedirectHasExtraInfo {
		r.heads, r.bodies = r.heads+1, r.bodies+1 // answered from a cache: the network tells nothing
	}
	to := parse(e.Request.URL)
	ofPage := s == v.main && e.FrameID == t.main && e.Type == network.ResourceTypeDocument
	if fresh {
		// The end of a worker's script is told to nobody.
		r.began, r.holds = now(), !endless[e.Type] && (e.DocumentURL != e.Request.URL || e.Type == network.ResourceTypeDocument)
		r.session = s
		r.place = v.placeOf(s, t, e.FrameID, e.DocumentURL)
		r.initiator = causeOf(e.Initiator, t.worker)
		r.transport = transports[e.Type]
		switch {
		case ofPage:
			r.transport = seen.Document
		case isPrefetch(e.Request.Headers):
			r.transport, r.holds = seen.Prefetch, false
		case r.transport == "" && t.worker != "":
			r.transport = seen.WorkerLoad
		case r.transport == "":
			r.transport = seen.OtherLoad
		}
		v.rest.start(r)
	}
	if ofPage {
		r.place = place{page: to.path}
	}
	if r.transport == seen.Frame {
		r.parent = t.parentOf(e.FrameID)
	}
	r.hops = append(r.hops, hop{to, r.place.page})
	v.contact(r, to)
	if third, _ := v.options.Site.Third(to.host); !third && e.Request.Method == http.MethodPost && v.next != "" {
		// The network tells of its cookies in its own time: the page may have been answered,
		// and have brought in what is allowed.
		r.answering, r.before, r.after = len(r.hops), v.before, v.next
		if v.allows || e.Type == network.ResourceTypePing { // of a ping, the page hears nothing
			v.answered()
		}
	}
	if len(r.answers) > 0 {
		first := r.answers[0]
		r.answers = r.answers[1:]
		if r.answering > 0 {
			first.stage = v.stageOf(r, len(r.hops)+1)
		}
		v.stored(r.hops[len(r.hops)-1], r.place, first)
	}
}

// isPrefetch says whether a request is one that may never be needed (Fetch Standard,
// "Sec-Purpose"); the older name is what a page's own requests are told of with.
func isPrefetch(headers network.Headers) bool {
	for name, value := range headers {
		if text, _ := value.(string); (strings.EqualFold(name, "Purpose") || strings.EqualFold(name, "Sec-Purpose")) && strings.HasPrefix(text, "prefetch") {
			return true
		}
	}
	return false
}

// forget drops the requests that nobody tells of any more.
func (v *Visitor) forget() {
	for id, r := range v.requests {
		if !v.rest.open[r] && time.Since(r.began) > time.Minute {
			delete(v.requests, id)
		}
	}
}

func (v *Visitor) placeOf(s *chrome.Session, t *tab, frame cdp.FrameID, document string) place {
	p := place{page: v.page, leaving: v.leaving}
	switch {
	case t.worker != "":
	case s == v.main && frame == t.main:
		if a := parse(document); a.path == v.former && a.path != v.page {
			p = place{page: a.path, leaving: true} // what it began while it went
		}
	default:
		p.frame = parse(t.frames[frame]).whole
		if t.frames[frame] == "" {
			p.frame = parse(document).whole
		}
	}
	return p
}

// stageOf returns the stage of what goes with a hop of a request, and of what the hop before
// it was answered with.
func (v *Visitor) stageOf(r *request, hop int) string {
	switch {
	case r.answering == 0:
		return v.stage
	case hop <= r.answering:
		return r.before
	}
	return r.after
}

// heard: the page knows what the site says to a request. If that was the visitor's answer,
// whatever it refuses is to end from here on: until now the page could not know that the
// answer counts, and on a busy machine it goes on for a while.
func (v *Visitor) heard(id network.RequestID) {
	if r := v.requests[id]; r != nil && r.answering > 0 && r.after == v.next {
		v.answered()
	}
}

// contact notes that a request goes to a host that is not the site.
func (v *Visitor) contact(r *request, to address) {
	r.contact = nil
	if to.host == "" {
		return
	}
	third, cloaked := v.options.Site.Third(to.host)
	if !third {
		return
	}
	frame := r.place.frame
	if r.transport == seen.Frame {
		frame = r.parent // who shows it contacts its host
	}
	r.contact = v.record.add(seen.Event{
		Act: seen.Contacted, Stage: v.stageOf(r, len(r.hops)), Host: to.host, Third: true, Cloaked: cloaked, Transport: r.transport,
		Page: r.place.page, Frame: frame, Leaving: r.place.leaving, By: r.initiator,
	})
}

func socket(url string, by *network.Initiator) *request {
	return &request{hops: []hop{{address: parse(url)}}, transport: seen.WebSocket, initiator: causeOf(by, "")}
}

func webTransport(url string, by *network.Initiator) *request {
	return &request{hops: []hop{{address: parse(url)}}, transport: seen.WebTransp, initiator: causeOf(by, "")}
}

// contacted notes a connection that is no request.
func (v *Visitor) contacted(s *chrome.Session, t *tab, r *request) {
	r.place = place{page: v.page, leaving: v.leaving}
	if r.initiator.Worker = t.worker; s.Parent != nil && t.worker == "" {
		r.place.frame = parse(s.Info.URL).whole
	}
	v.contact(r, r.hops[0].address)
}

// linked notes the hosts that a page's Link header has the browser connect to (RFC 8288;
// HTML Standard, "preconnect" and "dns-prefetch").
func (v *Visitor) linked(e *network.EventResponseReceived) {
	r := v.requests[e.RequestID]
	if r == nil || e.Type != network.ResourceTypeDocument || e.Response == nil {
		return
	}
	base, err := url.Parse(e.Response.URL)
	if err != nil {
		return
	}
	for name, value := range e.Response.Headers {
		joined, _ := value.(string)
		if !strings.EqualFold(name, "Link") {
			continue
		}
		for link := range strings.FieldsFuncSeq(joined, func(c rune) bool { return c == ',' || c == '\n' }) {
			target, parameters, _ := strings.Cut(link, ";")
			to, err := base.Parse(strings.Trim(strings.TrimSpace(target), "<>"))
			if parameters = strings.ToLower(parameters); err == nil && (strings.Contains(parameters, "preconnect") || strings.Contains(parameters, "dns-prefetch")) {
				v.contact(&request{place: r.place, transport: seen.Preconnect, initiator: seen.Cause{Header: parse(e.Response.URL).whole}}, parse(to.String()))
			}
		}
	}
}

// finished: a request has ended. One that the page's own policy stopped went nowhere.
func (v *Visitor) finished(id network.RequestID, stopped bool) {
	r := v.requests[id]
	if r == nil {
		return
	}
	if stopped && r.contact != nil {
		r.contact.dropped = true
	}
	v.heard(id) // such as one that has no content, of which the page hears nothing
	v.rest.done(r)
}

func now() time.Time { return time.Now() }
