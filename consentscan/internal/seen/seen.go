// Package seen holds what a browser was seen to do on a site, state by state: facts,
// and no opinion on them. Package judge compares them with what the site declares.
package seen

import (
	"cmp"
	"time"

	"github.com/cookiecharter/consent"
)

// A Scan is everything that was seen of one site.
type Scan struct {
	// Site is the address that the scan began with.
	Site string
	// Hosts are those that count as the site itself: its own and, if the site's form
	// or a redirect led there, others of the same registrable domain.
	Hosts []string
	// Browser is the product and version, such as "Chromium 156.0.1".
	Browser string
	Started time.Time
	Took    time.Duration

	// Stages are in the order in which they were walked.
	Stages []Stage
	// Events are sorted: see [Compare].
	Events []Event
	// Problems are what could not be looked at, so that the scan says nothing of it.
	Problems []Problem
}

// A Stage is a visitor in one state of consent, who walks the pages of the site.
type Stage struct {
	// Name is unique in a scan: "new", "refused", "only statistics", "accepted",
	// "withdrawing", "withdrawn", "objected", "opt-out", "opt-out with Sec-GPC".
	Name string
	// Choice is the visitor's answer. Answered is false if there is none yet.
	Choice   consent.Choice
	Answered bool
	// Earlier is the name of the stage that this visitor was in before, for
	// "withdrawing" and "withdrawn": what that stage allowed may still lie there.
	Earlier string
	// Living says that no page was loaded since the answer: the page on which the visitor
	// has answered lives on.
	Living bool
	// Nothing says that nothing is allowed that needs consent.
	Nothing bool
	Regime  consent.Regime
	GPC     bool

	// Pages are the addresses that were looked at, without the site's own origin.
	Pages []string
	// Skipped says why the stage was not walked. Empty: it was.
	Skipped string
	// Kept says whether the site still knew the answer on the last page; nil: not known.
	Kept *bool
	// Pictures are PNG files, at most two: the first page, and the page on which the
	// visitor has answered.
	Pictures []Picture
}

// A Picture shows a page in one stage.
type Picture struct {
	Page string
	PNG  []byte
}

// An Act is what an [Event] tells of.
type Act string

const (
	// Stored: a Set-Cookie line was taken by the browser, or a script has written.
	Stored Act = "stored"
	// Blocked: the browser took no cookie from a Set-Cookie line; Event.Reason says why.
	Blocked Act = "blocked"
	// Kept: it lay in the browser when a page of the stage had come to rest.
	Kept Act = "kept"
	// Sent: the browser sent the cookie along with a request.
	Sent Act = "sent"
	// Contacted: a request went to a host that is not the site.
	Contacted Act = "contacted"
	// Signalled: a page told a tag of others what the visitor allows.
	Signalled Act = "signalled"
	// Held: a page of the site holds something back. Event.Name is what it waits for: a
	// category, or one provider, such as "third-party:Vimeo".
	Held Act = "held"
)

// A Kind is where a tracer lies. The names are those of [consent.Kind], and more.
type Kind string

const (
	Cookie         Kind = "cookie"
	LocalStorage   Kind = "local storage"
	SessionStorage Kind = "session storage"
	IndexedDB      Kind = "IndexedDB"
	CacheStorage   Kind = "cache storage"
	ServiceWorker  Kind = "service worker"
)

// Declared are the kinds of declarations, by where a browser keeps a tracer. A service worker
// has none of its own.
var Declared = map[Kind]consent.Kind{
	Cookie:         consent.HTTPCookie,
	LocalStorage:   consent.LocalStorage,
	SessionStorage: consent.SessionStorage,
	IndexedDB:      consent.IndexedDB,
	CacheStorage:   consent.CacheStorage,
	ServiceWorker:  consent.Other,
}

// A Transport is how a host was contacted.
type Transport string

const (
	Document    Transport = "page"
	Frame       Transport = "frame"
	Script      Transport = "script"
	StyleSheet  Transport = "style sheet"
	Image       Transport = "image"
	Font        Transport = "font"
	Media       Transport = "media"
	Fetch       Transport = "fetch" // fetch, XMLHttpRequest, EventSource
	Beacon      Transport = "beacon"
	WebSocket   Transport = "websocket"
	Prefetch    Transport = "prefetch"
	Preconnect  Transport = "preconnect" // a connection or a look-up of the name alone
	OtherLoad   Transport = "request"
	WebRTC      Transport = "WebRTC"
	WebTransp   Transport = "WebTransport"
	WorkerLoad  Transport = "worker"
	CSPReport   Transport = "report"
	ManifestReq Transport = "manifest"
)

// An Event is one thing that was seen. Fields that do not concern its Act are zero.
// No value of a cookie, an entry or a query is in it.
type Event struct {
	Act   Act
	Stage string
	// Kind and Name are those of the tracer. For [Signalled] Name is the tag, such as
	// "Google", and Reason what was wrong or said.
	Kind Kind
	Name string

	// Host is whose it is: the host that keeps the cookie (without a leading dot) or
	// the entry, or the host that was contacted, with its port if it has one.
	Host string
	// Third says that Host is of another registrable domain than the site, or has one
	// behind its name (Cloaked).
	Third bool
	// Cloaked is the host behind Host by a CNAME record, if it is of another
	// registrable domain.
	Cloaked string
	// Transport is how Host was contacted.
	Transport Transport

	// Page is the path of the page, without its query. Frame is the address of the
	// frame, without its query, if it is not the page itself.
	Page, Frame string
	// Leaving says that it happened while the page was left.
	Leaving bool
	// By tells who did it.
	By Cause

	// Attributes are those of a cookie. Line is its Set-Cookie line, the value replaced
	// by "…", if it came in one.
	Attributes *Attributes
	Line       string
	// Reason is the browser's own for [Blocked], such as "SameSiteNoneInsecure".
	Reason string
	// Hash stands for the value, if values were asked for: 16 hex digits, of another
	// key in each scan.
	Hash string
}

// A Cause is who did something: a response's header, or a script.
type Cause struct {
	// Header is the address of the response, without its query, if its head did it.
	Header string
	// Script is the address of the script, without its query; of a script in the page,
	// the page's own. Line and Column count from 1; zero: not known.
	Script       string
	Line, Column int
	// Worker is "worker", "shared worker" or "service worker", or empty: a page.
	Worker string
}

// Attributes are those of a cookie as the browser keeps it.
type Attributes struct {
	// Domain has no leading dot. HostOnly says that the cookie has no Domain attribute.
	Domain   string
	HostOnly bool
	Path     string
	// Lifetime is how long the browser keeps it from when it was stored. Zero: until
	// the browser is closed.
	Lifetime    time.Duration
	HTTPOnly    bool
	Secure      bool
	SameSite    string
	Partitioned bool
}

// A Problem is something that could not be looked at.
type Problem struct {
	Stage, Page string
	// Text is a clear word for a person, such as "did not come to rest within 10s".
	Text string
}

// Compare orders events by stage, act, tracer, host and place, so that two scans of a site
// that does the same have them in the same order.
func Compare(a, b Event) int {
	return cmp.Or(
		cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Act, b.Act), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Transport, b.Transport), cmp.Compare(a.Page, b.Page), cmp.Compare(a.Frame, b.Frame),
		cmp.Compare(a.By.Header, b.By.Header), cmp.Compare(a.By.Script, b.By.Script), cmp.Compare(a.By.Line, b.By.Line),
		cmp.Compare(a.By.Column, b.By.Column), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Reason, b.Reason),
	)
}
