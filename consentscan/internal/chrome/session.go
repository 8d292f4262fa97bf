package chrome

import (
	"context"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// An Owner gets what happens in one browser context, in order, from one goroutine: its
// methods must not wait for an answer of the browser. They send commands by [Session.Send].
type Owner interface {
	// Attached is called for each page, frame, worker and window before it runs. The
	// session runs once [Session.Run] was called.
	Attached(s *Session)
	// Event is called for each event, of the types of cdproto.
	Event(s *Session, event any)
	// Detached is called when it is gone.
	Detached(s *Session)
}

// A Session is one page, frame, worker or window of a browser context.
type Session struct {
	// Info is what the browser said when it attached. Parent is nil for a page, a window,
	// and for a service worker or a shared one.
	Info   *target.Info
	Parent *Session

	id      target.SessionID
	browser *Browser
	owner   Owner
}

// Call runs a command in the session.
func (s *Session) Call(ctx context.Context, method string, params, result any) error {
	return s.browser.call(ctx, s.id, method, params, result)
}

// Send sends a command to the session and does not wait for its answer.
func Send[P, R any](s *Session, command cdp.Command[P, R], params P) {
	_ = s.browser.send(context.Background(), s.browser.next.Add(1), s.id, command.Method, params) // an error: the browser is gone
}

// Run lets a session that waits begin, and those that it will start wait in their turn.
func (s *Session) Run() {
	Send(s, target.SetAutoAttach, autoAttachParams())
	Send(s, runtime.RunIfWaitingForDebugger, cdp.Empty{})
}

func autoAttachParams() target.SetAutoAttachParams {
	flat := true
	return target.SetAutoAttachParams{AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: &flat}
}

func autoAttach(ctx context.Context, on Caller) error {
	_, err := Call(ctx, on, target.SetAutoAttach, autoAttachParams())
	return err
}

// NewContext makes a browser context, which shares no cookie and no storage with any
// other, and has owner told of what happens there.
func (b *Browser) NewContext(ctx context.Context, owner Owner) (cdp.BrowserContextID, error) {
	made, err := Call(ctx, b, target.CreateBrowserContext, target.CreateBrowserContextParams{})
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	b.owners[made.BrowserContextID] = owner
	b.mu.Unlock()
	return made.BrowserContextID, nil
}

// Dispose closes a browser context with all its pages.
func (b *Browser) Dispose(ctx context.Context, id cdp.BrowserContextID) {
	_, _ = Call(ctx, b, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: id}) // an error: it is gone
	b.mu.Lock()
	delete(b.owners, id)
	b.mu.Unlock()
}

// read hands on what the browser says, until it says nothing more.
func (b *Browser) read(ctx context.Context) {
	defer close(b.gone)
	for {
		message := new(cdproto.Message)
		if err := b.pipe.Read(ctx, message); err != nil {
			return
		}
		if message.Method == "" {
			b.mu.Lock()
			answer := b.pending[message.ID] // none: nobody waits for it
			b.mu.Unlock()
			if answer != nil {
				answer <- message
			}
			continue
		}
		event, err := cdproto.UnmarshalMessage(message, chromedp.DefaultUnmarshalOptions)
		if err != nil {
			continue // an event that this version of the protocol does not have
		}
		b.deliver(message.SessionID, event)
	}
}

func (b *Browser) deliver(from target.SessionID, event any) {
	b.mu.Lock()
	s := b.sessions[from]
	b.mu.Unlock()
	switch event := event.(type) {
	case *target.EventAttachedToTarget:
		b.attached(s, event)
	case *target.EventDetachedFromTarget:
		b.mu.Lock()
		gone := b.sessions[event.SessionID]
		delete(b.sessions, event.SessionID)
		b.mu.Unlock()
		if gone != nil {
			gone.owner.Detached(gone)
		}
	default:
		if s != nil {
			s.owner.Event(s, event)
		}
	}
}

func (b *Browser) attached(parent *Session, event *target.EventAttachedToTarget) {
	s := &Session{Info: event.TargetInfo, Parent: parent, id: event.SessionID, browser: b}
	b.mu.Lock()
	s.owner = b.owners[event.TargetInfo.BrowserContextID]
	if s.owner == nil && parent != nil {
		s.owner = parent.owner // a worker's context is that of its page
	}
	if s.owner != nil {
		b.sessions[event.SessionID] = s
	}
	b.mu.Unlock()
	if s.owner == nil {
		Send(s, runtime.RunIfWaitingForDebugger, cdp.Empty{}) // the browser's own, such as its first window
		return
	}
	s.owner.Attached(s)
}
