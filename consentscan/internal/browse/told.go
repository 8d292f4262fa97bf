package browse

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/runtime"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/setcookie"
)

// told takes what hook.js tells by the console. It says false of what pages write there.
func (v *Visitor) told(s *chrome.Session, t *tab, e *runtime.EventConsoleAPICalled) {
	args := make([]string, len(e.Args))
	for i, arg := range e.Args {
		if json.Unmarshal(arg.Value, &args[i]) != nil {
			args[i] = string(arg.Value) // a number
		}
	}
	if len(args) < 3 || args[0] != v.token {
		return
	}
	document := t.frames[t.contexts[e.ExecutionContextID]]
	if t.worker != "" || document == "" {
		document = s.Info.URL
	}
	from := parse(document)
	p := place{page: v.page, leaving: v.leaving}
	if t.worker == "" && !(s == v.main && t.contexts[e.ExecutionContextID] == t.main) {
		p.frame = from.whole
	}
	by := seen.Cause{Worker: t.worker}
	if frame := top(e.StackTrace); frame != nil {
		by.Script, by.Line, by.Column = parse(frame.URL).whole, int(frame.LineNumber)+1, int(frame.ColumnNumber)+1
	}
	if by.Script == "" {
		by.Script = from.whole
	}
	switch kind := seen.Kind(args[1]); kind {
	case "setTimeout", "setInterval":
		var delay float64
		_ = json.Unmarshal([]byte(args[2]), &delay)
		v.rest.timer(time.Duration(delay)*time.Millisecond, args[1] == "setInterval")
	case "WebRTC":
		v.relay(args[2], p, by)
	case "cookie":
		v.written(args[2:], from, p, by)
	case "removed":
		if len(args) > 3 {
			v.record.removed(seen.Kind(args[2]), short(args[3]), from.host)
		}
	case seen.LocalStorage, seen.SessionStorage, seen.IndexedDB, seen.CacheStorage, seen.ServiceWorker:
		name := args[2]
		if kind == seen.ServiceWorker {
			name = scriptPath(document, name)
		}
		v.wrote(seen.Event{Kind: kind, Name: short(name), Host: from.host}, p, by)
	}
}

// scriptPath is how a service worker is named: by the path of its script.
func scriptPath(document, script string) string {
	base, err := url.Parse(document)
	if err != nil {
		return script
	}
	if base, err = base.Parse(script); err != nil {
		return script
	}
	return base.Path
}

// written takes a line of document.cookie, and what the script could read afterwards: a
// line that the browser took nothing from stores nothing.
func (v *Visitor) written(told []string, from address, p place, by seen.Cause) {
	line := told[0]
	reading := setcookie.Read(line, func() setcookie.Clock { return setcookie.ClockOf(now(), nil) })
	if !reading.Readable {
		return
	}
	name := short(reading.Name())
	if reading.Deletion != setcookie.NoDeletion {
		v.record.removed(seen.Cookie, name, "")
		return
	}
	e := cookieEvent(line, from.host)
	e.Name = name
	if len(told) > 1 && (e.Attributes.Path == "" || attribute.IsUnder(from.path, e.Attributes.Path)) && !has(told[1], reading.Name()) {
		return // refused, such as one for a public suffix
	}
	_, value, _ := strings.Cut(strings.SplitN(line, ";", 2)[0], "=")
	e.Hash = v.hash(strings.TrimSpace(value))
	v.wrote(e, p, by)
}

// has says whether a Cookie header holds a cookie of that name.
func has(header, name string) bool {
	for pair := range strings.SplitSeq(header, ";") {
		found, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if found == name || found == "" && name == "" {
			return true
		}
	}
	return false
}

func (v *Visitor) wrote(e seen.Event, p place, by seen.Cause) {
	e.Act, e.Stage, e.By = seen.Stored, v.stage, by
	e.Page, e.Frame, e.Leaving = p.page, p.frame, p.leaving
	e.Third, e.Cloaked = v.options.Site.Third(e.Host)
	v.record.add(e)
}

// relay notes a server that a WebRTC connection asks for an address (RFC 7064, RFC 7065).
func (v *Visitor) relay(server string, p place, by seen.Cause) {
	_, host, _ := strings.Cut(server, ":")
	host, _, _ = strings.Cut(strings.TrimPrefix(host, "//"), "?")
	v.contact(&request{place: p, transport: seen.WebRTC, initiator: by}, address{host: strings.ToLower(host)})
}
