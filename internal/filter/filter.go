// Package filter edits the heads of one response, one at a time: which
// Set-Cookie lines stay, which go, and which are added, and what keeps the rest
// out of shared caches. It asks the visitor for verdicts, and knows neither
// declarations nor decisions.
package filter

import (
	"errors"
	"log"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/setcookie"
	"github.com/cookiecharter/consent/internal/visitor"
)

// A Config says what every Filter of one site does. It never changes.
type Config struct {
	AllowUndeclared bool                       // what nobody declared passes
	ReportOnly      bool                       // every line stays, and Observe gets what would have become of it
	ExpireUndecided bool                       // what the visitor has not answered for is deleted as what they refuse is
	Observe         func(*http.Request, Event) // nil if nobody wants to know
	Public          func(*http.Request)        // told of a response that shows something of its visitor and was to be kept by shared caches
}

// A Filter edits the heads of the response to one Visitor. It is made ready by
// [Filter.Init], in a struct of the caller's. One goroutine at a time calls its
// methods; its Visitor is safe for concurrent use.
type Filter struct {
	Visitor  visitor.Visitor
	config   *Config
	request  *http.Request // the handler's
	came     *http.Request // as it came: the handler may change its own
	reported int32         // how many lines of the head were reported: see edit.report
	load     load

	// room is for the lines that stay while one between them goes, or else for a new
	// Cache-Control. It saves an allocation, and with it 150 of 1,100 ns
	// (BenchmarkServe, "removed between others"); it is taken once, since a head may
	// be edited twice.
	room [2]string
}

// Init makes f the filter of the response to the request that a handler gets, and that
// came so. Its Visitor has an Init of its own, which comes before. outside is the filter
// of the same site around it, or nil.
func (f *Filter) Init(config *Config, request, came *http.Request, outside *Filter) {
	f.config, f.request, f.came = config, request, came
	switch {
	case outside != nil:
		f.came, f.load = outside.came, outside.load
	case f.Visitor.Cookies() == "": // there is nothing to delete
	default:
		if f.load = loadOf(came.Header); f.load != noPage && !f.carriesMore() {
			f.load = noPage
		}
	}
}

// Came returns the request as it came; a handler may have changed its header.
func (f *Filter) Came() *http.Request { return f.came }

// Passes reports whether a cookie of this name may be set, by what the visitor
// has decided now.
func (f *Filter) Passes(name string) bool {
	_, verdict := f.Visitor.Verdict(name)
	return f.passes(verdict)
}

func (f *Filter) passes(v policy.Verdict) bool {
	return v.Passes() || v == policy.Undeclared && f.config.AllowUndeclared
}

// Head edits the head of a response before it may leave: h is the map that it is
// made from. It is called again before whatever follows, since a writer outside
// may hold the head back and send what the map has become by then. A head that
// another one follows (1xx, but for 101) is not final. Head reports whether
// [Filter.Trailer] would find something in the map.
func (f *Filter) Head(h http.Header, final bool) (trailer bool) {
	e := edit{filter: f, header: h, final: final}
	var added []string
	if final {
		added = e.begin()
	}
	for key, values := range h {
		switch {
		case isSetCookie(key):
			if f.config.ReportOnly {
				if final {
					e.report(key, values)
				}
				break
			}
			kept, changed := e.lines(values)
			if len(kept) == 0 {
				delete(h, key)
			} else if changed {
				h[key] = kept
			}
		case len(key) == len("Cache-Control") && strings.EqualFold(key, "Cache-Control"):
			if e.cacheControl == nil { // as good as always
				e.cacheControl = values
			} else {
				e.cacheControl = slices.Concat(e.cacheControl, values)
			}
		case isTrailerSetCookie(key):
			trailer = true
			e.personal = e.personal || final && !f.config.ReportOnly
		case key == "Trailer" && !f.config.ReportOnly:
			// A trailer field that was announced leaves with the map as it is then,
			// after the last edit, so that no cookie may be announced.
			kept := withoutSetCookie(values)
			e.personal = e.personal || final && !slices.Equal(kept, values)
			h[key] = kept
		}
	}
	if len(added) > 0 {
		// Clip: the slice may be shared between requests, and have room.
		h["Set-Cookie"] = append(slices.Clip(h["Set-Cookie"]), added...)
	}
	e.keepPrivate()
	e.observe()
	return trailer
}

// Fields edits a head that a handler writes to a hijacked connection, as
// [Filter.Head] does with one that the server writes.
func (f *Filter) Fields(status int, fields []rawhead.Field) []rawhead.Field {
	e := edit{filter: f, fields: fields, final: !rawhead.Informational(status)}
	var added []string
	if e.final {
		added = e.begin()
	}
	var kept []rawhead.Field
	for _, field := range fields {
		if isSetCookie(field.Name) {
			line, passes := e.line(field.Value)
			if !passes {
				continue
			}
			if line != field.Value { // else the field keeps its bytes
				field = rawhead.Field{Name: field.Name, Value: line}
			}
		}
		kept = append(kept, field)
	}
	for _, line := range added {
		kept = append(kept, rawhead.Field{Name: "Set-Cookie", Value: line})
	}
	e.fields = kept
	e.cacheControl = e.values("Cache-Control")
	e.keepPrivate()
	if e.final && !f.config.ReportOnly && f.leavesOpen(status, e.fields) {
		e.fields = closing(e.fields)
	}
	e.observe()
	return e.fields
}

// leavesOpen reports whether a client may send its next request on the connection
// after a head that a handler has written to it: it can tell where the response
// ends, by the rules of RFC 9112 section 6.3. The answer would come from that handler
// alone, past every filter.
func (f *Filter) leavesOpen(status int, fields []rawhead.Field) bool {
	switch {
	case status == http.StatusSwitchingProtocols, f.request.Method == http.MethodConnect && status/100 == 2:
		return false // the connection is a tunnel
	case status == http.StatusNoContent, status == http.StatusResetContent, status == http.StatusNotModified, f.request.Method == http.MethodHead:
		return true
	}
	return slices.ContainsFunc(fields, func(field rawhead.Field) bool {
		return strings.EqualFold(field.Name, "Content-Length") || strings.EqualFold(field.Name, "Transfer-Encoding")
	})
}

// closing returns fields that say that this is the last response on the connection,
// and nothing else about it: Chromium goes by the first word of all.
func closing(fields []rawhead.Field) []rawhead.Field {
	isConnection := func(field rawhead.Field) bool {
		return strings.EqualFold(field.Name, "Connection") || strings.EqualFold(field.Name, "Proxy-Connection")
	}
	said := slices.DeleteFunc(slices.Clone(fields), func(field rawhead.Field) bool { return !isConnection(field) })
	if len(said) == 1 && strings.EqualFold(said[0].Name, "Connection") && strings.EqualFold(said[0].Value, "close") {
		return fields
	}
	return append(slices.DeleteFunc(fields, isConnection), rawhead.Field{Name: "Connection", Value: "close"})
}

// Trailer takes cookies out of a trailer, necessary ones too: no browser stores a
// cookie from there, but a proxy may move the field into the head (RFC 9110
// section 6.5.1), after every check here.
func (f *Filter) Trailer(h http.Header) {
	e := edit{filter: f}
	for key, lines := range h {
		if !isTrailerSetCookie(key) {
			continue
		}
		for _, line := range lines {
			reading := setcookie.Read(line, e.now)
			e.note(reading.Name(), Removed, InTrailer, line)
		}
		if !f.config.ReportOnly {
			delete(h, key)
		}
	}
	e.observe()
}

// End says that no head will leave any more: the connection is a tunnel, or the
// handler that took it has returned. From here on nothing can be decided.
func (f *Filter) End() { f.Visitor.SendHead() }

// Logf says something to whoever reads the log of the request's server, as the
// server itself would.
func (f *Filter) Logf(format string, args ...any) {
	if server, ok := f.request.Context().Value(http.ServerContextKey).(*http.Server); ok && server.ErrorLog != nil {
		server.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// errHTTP is for a handler that wants to speak HTTP on a connection of its own.
var errHTTP = errors.New("consent: HTTP on a hijacked connection would bring requests that nobody filters; put the middleware inside of it, as in h2c.NewHandler(mw.Wrap(app), …)")

// CheckHijack says why a handler may not have the connection. It may, unless the
// request goes on in HTTP: by the preface of a client that knows the server to speak
// HTTP/2 (RFC 9113 section 3.4), or by an upgrade to another version (RFC 7540 section
// 3.2, RFC 9110 section 7.8) or to TLS with HTTP in it (RFC 2817 section 3).
func (f *Filter) CheckHijack() error {
	if f.request.Method == "PRI" {
		return errHTTP
	}
	for _, field := range f.request.Header["Upgrade"] {
		for protocol := range strings.SplitSeq(field, ",") {
			name, _, _ := strings.Cut(protocol, "/")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "h2c", "h2", "http", "tls":
				return errHTTP
			}
		}
	}
	return nil
}

// AsksForUpgrade reports whether the request asks for another protocol, so that a
// server may switch to it (RFC 9110 section 7.8).
func (f *Filter) AsksForUpgrade() bool { return len(f.request.Header["Upgrade"]) > 0 }

// withoutSetCookie returns the values of a Trailer field without the name that
// announces cookies. The given slice may be shared between requests.
func withoutSetCookie(announced []string) []string {
	kept := make([]string, len(announced))
	for i, value := range announced {
		names := slices.DeleteFunc(strings.Split(value, ","), func(name string) bool {
			return isSetCookie(strings.TrimSpace(name))
		})
		kept[i] = strings.Join(names, ",")
	}
	return kept
}

// A handler may spell a key of the map in any letter case, and the server sends
// it so.

func isSetCookie(key string) bool {
	return len(key) == len("Set-Cookie") && strings.EqualFold(key, "Set-Cookie")
}

// isTrailerSetCookie reports whether a key of the map becomes a trailer field that
// sets cookies. It may have several prefixes: net/http's HTTP/2 takes one off, and
// looks at the rest again.
func isTrailerSetCookie(key string) bool {
	const prefix = http.TrailerPrefix
	rest := key
	for len(rest) > len(prefix) && strings.EqualFold(rest[:len(prefix)], prefix) {
		rest = rest[len(prefix):]
	}
	return len(rest) < len(key) && isSetCookie(rest)
}
