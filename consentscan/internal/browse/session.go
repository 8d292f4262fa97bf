package browse

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/debugger"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
)

//go:embed hook.js
var hook string

// gpc says to scripts what the header says to servers (W3C, Global Privacy Control,
// "JavaScript Property to Detect Preference").
const gpc = `Object.defineProperty(Object.getPrototypeOf(navigator), "globalPrivacyControl", {value: true, configurable: true, enumerable: true});`

func token() string { return "consentscan " + rand.Text() }

func yes() *bool { b := true; return &b }

// A tab is what is known of one session: a page, a frame, a worker, a window.
type tab struct {
	worker   string                 // as in seen.Cause; empty: a page or a frame
	script   string                 // what runs before that of a service worker; empty: it has run
	frames   map[cdp.FrameID]string // addresses
	parents  map[cdp.FrameID]cdp.FrameID
	main     cdp.FrameID
	contexts map[runtime.ExecutionContextID]cdp.FrameID
}

// parentOf returns the address of the frame that shows frame; empty if that is the page.
func (t *tab) parentOf(frame cdp.FrameID) string {
	parent := t.parents[frame]
	if parent == "" || parent == t.main {
		return ""
	}
	return parse(t.frames[parent]).whole
}

const serviceWorker = "service worker"

var workers = map[string]string{"worker": "worker", "shared_worker": "shared worker", "service_worker": serviceWorker}

// Attached sets a session up before anything runs in it.
func (v *Visitor) Attached(s *chrome.Session) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := &tab{
		worker:   workers[s.Info.Type],
		frames:   make(map[cdp.FrameID]string),
		parents:  make(map[cdp.FrameID]cdp.FrameID),
		main:     cdp.FrameID(s.Info.TargetID),
		contexts: make(map[runtime.ExecutionContextID]cdp.FrameID),
	}
	if t.worker == serviceWorker && s.Parent != nil {
		s.Run() // the browser tells of it too
		return
	}
	v.tabs[s] = t
	script := hook + "(" + quoted(v.token) + ");"
	if v.options.GPC {
		script = gpc + script
	}
	chrome.Send(s, network.Enable, network.EnableParams{})
	chrome.Send(s, runtime.Enable, cdp.Empty{})
	// Only a debugger knows who began what runs later, such as the load of an image.
	chrome.Send(s, debugger.Enable, debugger.EnableParams{})
	chrome.Send(s, debugger.SetAsyncCallStackDepth, debugger.SetAsyncCallStackDepthParams{MaxDepth: 4})
	chrome.Send(s, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: v.browser.UserAgent})
	if len(v.headers()) > 0 {
		chrome.Send(s, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: v.headers()})
	}
	if t.worker == serviceWorker {
		// Its globals are not complete before its script begins: see the event "paused".
		t.script = script
		chrome.Send(s, debugger.SetInstrumentationBreakpoint, debugger.SetInstrumentationBreakpointParams{Instrumentation: debugger.SetInstrumentationBreakpointInstrumentationBeforeScriptExecution})
		s.Run()
		return
	}
	chrome.Send(s, debugger.SetSkipAllPauses, debugger.SetSkipAllPausesParams{Skip: true})
	if t.worker != "" {
		chrome.Send(s, runtime.Evaluate, runtime.EvaluateParams{Expression: script})
		s.Run()
		return
	}
	chrome.Send(s, page.Enable, page.EnableParams{})
	chrome.Send(s, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script, RunImmediately: yes()})
	chrome.Send(s, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	s.Run()
	if s.Parent != nil || s.Info.Type != "page" {
		return
	}
	if s.Info.OpenerID == "" && v.main == nil {
		v.main = s
		v.attached <- s
		return
	}
	v.windows = append(v.windows, s)
	v.shut()
}

// mostWindows is how many windows a page may have open. Each is closed with its page.
const mostWindows = 3

func (v *Visitor) shut() {
	if len(v.windows) <= mostWindows {
		return
	}
	chrome.Send(v.windows[0], page.Close, cdp.Empty{})
	v.windows = v.windows[1:]
	v.problem(v.page, "opens more than %d windows: those before the last ones were closed", mostWindows)
}

func (v *Visitor) headers() network.Headers {
	headers := make(network.Headers)
	for name, value := range v.options.Headers {
		headers[name] = value
	}
	if v.options.GPC {
		headers["Sec-GPC"] = "1"
	}
	return headers
}

// Detached forgets a session.
func (v *Visitor) Detached(s *chrome.Session) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.tabs, s)
	for _, r := range v.requests {
		if r.session == s {
			v.rest.done(r)
		}
	}
	if v.main == s {
		v.rest.crashed = true
	}
	v.windows = slices.DeleteFunc(v.windows, func(w *chrome.Session) bool { return w == s })
	v.wake()
}

// Event takes what happens in a session.
func (v *Visitor) Event(s *chrome.Session, event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.tabs[s]
	if t == nil {
		return
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		v.requested(s, t, e)
	case *network.EventRequestWillBeSentExtraInfo:
		v.sent(e)
	case *network.EventResponseReceivedExtraInfo:
		v.received(e)
	case *network.EventResponseReceived:
		v.linked(e)
		if e.Type != network.ResourceTypeDocument { // else the page hears nothing, and another one comes
			v.heard(e.RequestID)
		}
		v.unheardOf(t, e)
	case *network.EventLoadingFinished:
		v.finished(e.RequestID, false)
	case *network.EventLoadingFailed:
		v.finished(e.RequestID, e.BlockedReason != "")
	case *network.EventWebSocketCreated:
		v.contacted(s, t, socket(e.URL, e.Initiator))
	case *network.EventWebTransportCreated:
		v.contacted(s, t, webTransport(e.URL, e.Initiator))
	case *debugger.EventPaused:
		if t.script != "" {
			chrome.Send(s, runtime.Evaluate, runtime.EvaluateParams{Expression: t.script})
			t.script = ""
			chrome.Send(s, debugger.SetSkipAllPauses, debugger.SetSkipAllPausesParams{Skip: true})
		}
		chrome.Send(s, debugger.Resume, debugger.ResumeParams{})
	case *runtime.EventConsoleAPICalled:
		v.told(s, t, e)
	case *runtime.EventExecutionContextCreated:
		var aux struct{ FrameID cdp.FrameID }
		_ = json.Unmarshal(e.Context.AuxData, &aux) // a worker's has none
		t.contexts[e.Context.ID] = aux.FrameID
	case *runtime.EventExecutionContextsCleared:
		clear(t.contexts)
	case *page.EventFrameNavigated:
		v.navigated(s, t, e)
	case *page.EventFrameAttached:
		t.parents[e.FrameID] = e.ParentFrameID
	case *page.EventFrameDetached:
		if e.Reason == page.FrameDetachedReasonRemove {
			delete(t.frames, e.FrameID)
		}
	case *page.EventLoadEventFired:
		if s == v.main {
			v.rest.loaded = true
		}
	case *page.EventNavigatedWithinDocument:
		if s == v.main && e.FrameID == t.main {
			v.page = parse(e.URL).path
		}
	case *page.EventJavascriptDialogOpening:
		chrome.Send(s, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		if e.Type != page.DialogTypeBeforeunload {
			v.problem(v.page, "opens a dialog (%s), which was confirmed", e.Type)
		}
	case *inspector.EventTargetCrashed:
		if s == v.main {
			v.rest.crashed = true
		}
	default:
		return // no sign of life
	}
	v.wake()
}

// wake tells who waits for the page that something has happened.
func (v *Visitor) wake() {
	v.rest.last = now()
	close(v.changed)
	v.changed = make(chan struct{})
}

// navigated: a frame shows another document.
func (v *Visitor) navigated(s *chrome.Session, t *tab, e *page.EventFrameNavigated) {
	t.frames[e.Frame.ID] = e.Frame.URL
	if s != v.main || e.Frame.ParentID != "" {
		return
	}
	t.main = e.Frame.ID
	clear(t.frames)
	t.frames[e.Frame.ID] = e.Frame.URL
	v.former, v.page = v.page, parse(e.Frame.URL).path
	v.heard(network.RequestID(e.Frame.LoaderID)) // such as a form that was posted
	v.leaving = false
	v.rest.begin()
	v.forget()
}

func quoted(s string) string {
	data, _ := json.Marshal(s) // a string always can
	return string(data)
}
