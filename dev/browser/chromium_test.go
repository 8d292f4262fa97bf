package browser

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// chromium is one process for all the tests, since starting it takes longer
// than most of them.
var chromium struct {
	start sync.Once
	ctx   context.Context
	err   error
	stop  context.CancelFunc
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

// A tab is a page of the browser, with cookies of its own. Whatever the browser
// has to complain about in it fails its test: an error on the console, an
// exception, a violation of the page's Content-Security-Policy.
type tab struct {
	*testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	path := browsertest.FindChromium(t)
	chromium.start.Do(func() { chromium.ctx, chromium.stop, chromium.err = startChromium(path) })
	require.NoError(t, chromium.err)
	return newTabOf(t, chromium.ctx, chromedp.WithNewBrowserContext())
}

// newTabWithoutCookies is newTab in a browser of its own, whose visitor has blocked
// all cookies.
func newTabWithoutCookies(t *testing.T) *tab {
	t.Helper()
	profile := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(profile, "Default"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(profile, "Default", "Preferences"),
		[]byte(`{"profile": {"default_content_setting_values": {"cookies": 2}}}`), 0o600))
	ctx, stop, err := startChromium(browsertest.FindChromium(t), chromedp.UserDataDir(profile))
	t.Cleanup(stop)
	require.NoError(t, err)
	return newTabOf(t, ctx)
}

func startChromium(path string, options ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc, error) {
	options = append(options, chromedp.ExecPath(path))
	for name, value := range browsertest.Flags() {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	return ctx, stop, chromedp.Do(ctx)
}

func newTabOf(t *testing.T, browser context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	var mu sync.Mutex
	var complaints []string
	ctx, closeTab := chromedp.NewContext(browser, append(options, chromedp.WithListener(func(event any) {
		if complaint := complaintOf(event); complaint != "" {
			mu.Lock()
			defer mu.Unlock()
			complaints = append(complaints, complaint)
		}
	}))...)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(func() {
		cancel()
		closeTab()
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, complaints, "the browser complains")
	})
	b := &tab{t, ctx}
	call(b, audits.Enable, cdp.Empty{})
	// Tabs are open side by side, and only one of them has the focus.
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return b
}

func complaintOf(event any) string {
	switch event := event.(type) {
	case *log.EventEntryAdded:
		// A 503 is what a page that asks again comes with.
		if event.Entry.Level == log.EntryLevelError && !strings.Contains(event.Entry.Text, "status of 503") {
			return event.Entry.Text + " " + event.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		complaint := event.ExceptionDetails.Text
		if exception := event.ExceptionDetails.Exception; exception != nil { // the page may be gone
			complaint += " " + exception.Description
		}
		return complaint
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError {
			return "console.error"
		}
	case *audits.EventIssueAdded:
		if violation := event.Issue.Details.ContentSecurityPolicyIssueDetails; violation != nil {
			return "Content-Security-Policy: " + violation.ViolatedDirective + " " + violation.BlockedURL
		}
	}
	return ""
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b, err)
	return result
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, steps...))
}

func (b *tab) visit(url string) {
	b.Helper()
	b.do(chromedp.Navigate(url))
}

// onEachPage has a script run before those of each page that is visited.
func (b *tab) onEachPage(source string) {
	b.Helper()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source})
}

// eval returns what an expression amounts to in the page, awaited where it is a
// promise. It does so where the page's own scripts are disabled, too.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b, err, expression)
	return value
}

// until waits for a condition in the page. The page may change meanwhile.
func (b *tab) until(condition string) {
	b.Helper()
	require.Eventually(b, func() bool {
		met, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		return err == nil && met
	}, time.Minute, 10*time.Millisecond, condition)
}

func (b *tab) click(selector string) {
	b.Helper()
	var err error
	for range 5 {
		err = chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(selector)))
		if err == nil || !strings.Contains(err.Error(), "Could not find node") { // a note may take the place of another meanwhile
			break
		}
	}
	require.NoError(b, err, selector)
}

// forget deletes all cookies. It leaves the page before, which would load itself again.
func (b *tab) forget() {
	b.Helper()
	b.visit("about:blank")
	call(b, network.ClearBrowserCookies, cdp.Empty{})
}

// speak sets the visitor's language.
func (b *tab) speak(language string) {
	b.Helper()
	b.send(network.Headers{"Accept-Language": language})
}

// send sets what each request says besides the usual.
func (b *tab) send(headers network.Headers) {
	b.Helper()
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers})
}

// resize sets the viewport, in CSS pixels.
func (b *tab) resize(width, height int64) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// prefer sets one media feature, and unsets any other.
func (b *tab) prefer(feature, value string) {
	b.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
}

// disableScripts has no page from now on run its scripts.
func (b *tab) disableScripts() {
	b.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}
