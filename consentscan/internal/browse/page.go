package browse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
)

// ErrDownload says that an address is a file, not a page.
var ErrDownload = errors.New("is a download, not a page")

// ErrHangs says that a page's scripts never end.
var ErrHangs = errors.New("hangs: its scripts do not end")

// errAborted is what the browser says of a page that gave way to another one, or that has
// no content.
var errAborted = errors.New("net::ERR_ABORTED")

// A LoadError is what a browser says of a page that it cannot show.
type LoadError struct {
	URL string
	// Text is the browser's, such as "net::ERR_CONNECTION_REFUSED".
	Text string
}

// plain says in words what the browser says in names.
var plain = []struct{ text, words string }{
	{"ERR_CONNECTION_REFUSED", "nothing listens there"},
	{"ERR_NAME_NOT_RESOLVED", "there is no host of that name"},
	{"ERR_CERT_", "its certificate is not valid for it; -invalid-certificates looks all the same"},
	{"ERR_SSL_", "it speaks no TLS"},
	{"ERR_CONNECTION_", "the connection broke"},
	{"ERR_TIMED_OUT", "it does not answer"},
	{"ERR_TOO_MANY_REDIRECTS", "it redirects in a circle"},
	{"ERR_EMPTY_RESPONSE", "it answers nothing"},
	{"ERR_INVALID_RESPONSE", "it answers something that is no HTTP"},
	{"ERR_HTTP_RESPONSE_CODE_FAILURE", "it answers with an error and no page"},
}

// Reason says why in words, without the address.
func (e *LoadError) Reason() string {
	for _, known := range plain {
		if strings.Contains(e.Text, known.text) {
			return fmt.Sprintf("%s (%s)", known.words, e.Text)
		}
	}
	return e.Text
}

// Error names the page and says why it is not shown.
func (e *LoadError) Error() string { return e.URL + ": " + e.Reason() }

// Open shows a page and waits until it is at rest. An error says that it is not shown: a
// [*LoadError], [ErrDownload], [ErrCrashed], or the context's. A page that hangs or has
// crashed is replaced, so that the next one can be opened.
func (v *Visitor) Open(ctx context.Context, url string) error {
	v.mu.Lock()
	lost := v.main == nil || v.rest.crashed
	v.mu.Unlock()
	if lost {
		if err := v.newPage(ctx); err != nil {
			return err
		}
	}
	v.mu.Lock()
	v.leaving = true
	v.rest.crashed = false
	v.rest.begin()
	v.shutAll()
	v.mu.Unlock()
	err := v.navigate(ctx, url)
	if errors.Is(err, errAborted) { // by what the page itself has begun: that comes first
		if err = v.Settle(ctx); err == nil {
			err = v.navigate(ctx, url)
		}
	}
	if err == nil {
		err = v.Settle(ctx)
	}
	return err
}

func (v *Visitor) navigate(ctx context.Context, url string) error {
	limited, cancel := context.WithTimeout(ctx, v.options.Timeout)
	defer cancel()
	shown, err := chrome.Call(limited, v.session(), page.Navigate, page.NavigateParams{URL: url})
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil || shown.IsDownload || shown.ErrorText != "" || shown.LoaderID == "" {
		v.leaving = false // else the page leaves once the next one is shown
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		if ctx.Err() == nil {
			v.rest.crashed = true // it may be stuck for good: the next page is a new one
		}
		return &LoadError{url, fmt.Sprintf("net::ERR_TIMED_OUT after %v", v.options.Timeout)}
	case err != nil:
		return err
	case shown.IsDownload:
		return fmt.Errorf("%s %w", parse(url).path, ErrDownload)
	case shown.ErrorText == errAborted.Error():
		v.rest.loaded = true
		return fmt.Errorf("%w: it shows nothing, or gives way to another one", errAborted)
	case shown.ErrorText != "":
		return &LoadError{url, shown.ErrorText}
	case shown.LoaderID == "": // a fragment of the page that is shown already
		v.rest.loaded = true
	}
	return nil
}

// abandon has the next page be another one.
func (v *Visitor) abandon() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rest.crashed = true
}

func (v *Visitor) shutAll() {
	for _, w := range v.windows {
		chrome.Send(w, page.Close, cdp.Empty{})
	}
	v.windows = nil
}

func (v *Visitor) session() *chrome.Session {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.main
}

// Leave closes the page that is shown, as a visitor who goes elsewhere.
func (v *Visitor) Leave(ctx context.Context) error {
	v.mu.Lock()
	v.leaving = true
	v.mu.Unlock()
	if err := v.navigate(ctx, "about:blank"); err != nil {
		return err
	}
	return v.pause(ctx, quiet)
}

func (v *Visitor) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Address returns the address of the page that is shown.
func (v *Visitor) Address(ctx context.Context) (string, error) {
	var href string
	err := v.Eval(ctx, "location.href", &href)
	return href, err
}

// Eval runs a JavaScript expression in the page, waits for its promise, and decodes what
// it gives from JSON into result, which may be nil.
func (v *Visitor) Eval(ctx context.Context, expression string, result any) error {
	return v.eval(ctx, v.session(), 0, expression, result)
}

func (v *Visitor) eval(ctx context.Context, s *chrome.Session, in runtime.ExecutionContextID, expression string, result any) error {
	limited, cancel := context.WithTimeout(ctx, v.options.Timeout)
	defer cancel()
	v.touch()
	given, err := chrome.Call(limited, s, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: in, ReturnByValue: yes(), AwaitPromise: yes(), UserGesture: yes()})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		v.abandon()
		return ErrHangs
	}
	switch {
	case err != nil:
		return err
	case given.ExceptionDetails != nil:
		text := given.ExceptionDetails.Text
		if thrown := given.ExceptionDetails.Exception; thrown != nil && thrown.Description != "" {
			text = strings.SplitN(thrown.Description, "\n", 2)[0]
		}
		return fmt.Errorf("script: %s", short(text))
	case result == nil || len(given.Result.Value) == 0:
		return nil
	}
	return json.Unmarshal(given.Result.Value, result)
}

// Picture returns a PNG of what is in view.
func (v *Visitor) Picture(ctx context.Context) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, v.options.Timeout)
	defer cancel()
	if err := v.Eval(limited, "scrollTo({top: 0, behavior: 'instant'})", nil); err != nil {
		return nil, err
	}
	var shot struct {
		Data []byte `json:"data"`
	}
	err := v.session().Call(limited, page.CommandCaptureScreenshot, page.CaptureScreenshotParams{}, &shot)
	return shot.Data, err
}
