package sites_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/sites"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// chromium is one process for all the tests.
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

const folder = "../../testdata/sites"

// A fault that today's Chromium prevents would prove nothing of a scan.
func TestEachSiteDoesWhatItSays(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(folder + "/*/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		t.Run(strings.TrimPrefix(path, folder+"/"), func(t *testing.T) {
			t.Parallel()
			s := sites.Open(t, path)
			if filepath.Base(filepath.Dir(path)) == "bad" {
				require.NotEmpty(t, s.Proof, "a fault needs a proof")
				require.NotEmpty(t, s.Expected, "a fault is to be found")
			} else {
				require.Empty(t, s.Expected, "it is good")
			}
			if len(s.Proof) > 0 {
				v := newVisitor(t, s)
				for _, step := range s.Proof {
					v.take(step)
				}
			}
		})
	}
}

// A visitor has a browser context of their own.
type visitor struct {
	*testing.T
	site  *sites.Site
	ctx   context.Context
	sends network.Headers
}

func newVisitor(t *testing.T, site *sites.Site) *visitor {
	t.Helper()
	path := browsertest.FindChromium(t)
	chromium.start.Do(func() { chromium.ctx, chromium.stop, chromium.err = startChromium(path) })
	require.NoError(t, chromium.err)
	ctx, closeTab := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(func() {
		cancel()
		closeTab()
	})
	return &visitor{t, site, ctx, network.Headers{}}
}

func startChromium(path string) (context.Context, context.CancelFunc, error) {
	profile, err := os.MkdirTemp("", "sites")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(profile) }
	// A browser context is a private window, in which Chromium blocks cookies of third
	// parties unless it is told otherwise.
	const preferences = `{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`
	err = errors.Join(os.Mkdir(filepath.Join(profile, "Default"), 0o700),
		os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600))
	if err != nil {
		return nil, remove, err
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(profile)}
	for name, value := range browsertest.Flags() {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	return ctx, func() { stop(); remove() }, chromedp.Do(ctx)
}

// answers are what a visitor does to answer, where the charter asks.
var answers = map[string]string{
	"accept":   `{choice: "accept"}`,
	"refuse":   `{choice: "refuse"}`,
	"withdraw": `{choice: "refuse"}`,
	"object":   `{choice: "refuse", objection: true}`,
}

func (v *visitor) take(step sites.Step) {
	v.Helper()
	told := fmt.Sprintf("line %d: %s %s", step.Line, step.Do, step.What)
	switch step.Do {
	case "visit":
		v.do(told, chromedp.Navigate(strings.TrimSuffix(v.site.URL, "/")+step.What))
	case "move":
		v.do(told, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 50, 50))
	case "leave":
		v.do(told, chromedp.Navigate("about:blank"))
	case "wait":
		d, err := time.ParseDuration(step.What)
		require.NoError(v, err, told)
		time.Sleep(d)
	case "accept", "refuse", "withdraw", "object":
		v.answer(told, step.Do)
	case "click":
		v.do(told, chromedp.Click(chromedp.CSS(step.What)))
	case "fill":
		selector, text, _ := strings.Cut(step.What, " ")
		v.do(told, chromedp.SendKeys(chromedp.CSS(selector), text))
	case "scroll":
		v.eval(told, `scrollBy(0, 600)`)
	case "send":
		name, value, _ := strings.Cut(step.What, ": ")
		v.sends[name] = value
		_, err := chromedp.Call(v.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: v.sends})
		require.NoError(v, err, told)
	case "forget":
		v.site.ForgetRequests()
	case "eval":
		v.eval(told, step.What)
	case "cookie":
		name, domain, _ := strings.Cut(step.What, " ")
		v.until(told, func() bool { return v.keeps(name, domain) })
	case "no-cookie":
		assert.False(v, v.keeps(step.What, ""), told)
	case "hit":
		v.until(told, func() bool { return v.wasAsked(step.What) })
	case "no-hit":
		assert.False(v, v.wasAsked(step.What), told)
	case "true":
		v.until(told, func() bool {
			holds, err := chromedp.Run(v.ctx, chromedp.Evaluate[bool]("(async () => Boolean("+step.What+"))()", chromedp.EvalAwaitPromise))
			return err == nil && holds
		})
	case "unseen":
	default:
		v.Fatal(told)
	}
}

func (v *visitor) answer(told, what string) {
	v.Helper()
	if v.site.Plain {
		selector := map[string]string{"accept": v.site.Accept, "refuse": v.site.Refuse, "withdraw": v.site.Withdraw}[what]
		v.do(told, chromedp.Click(chromedp.CSS(selector)))
		return
	}
	v.eval(told, `fetch("/cookies/state.json", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(`+answers[what]+`)}).then(({ok}) => ok || Promise.reject("not saved"))`)
	// The page may load itself again.
	_, _ = chromedp.Run(v.ctx, chromedp.Evaluate[any]("void window.consent?.scan?.()"))
}

func (v *visitor) do(told string, steps ...chromedp.Action[chromedp.Void]) {
	v.Helper()
	require.NoError(v, chromedp.Do(v.ctx, steps...), told)
}

func (v *visitor) eval(told, expression string) {
	v.Helper()
	_, err := chromedp.Run(v.ctx, chromedp.Evaluate[any]("(async () => { await ("+expression+"); return null; })()", chromedp.EvalAwaitPromise))
	require.NoError(v, err, told)
}

func (v *visitor) until(told string, holds func() bool) {
	v.Helper()
	require.Eventually(v, holds, 30*time.Second, 50*time.Millisecond, told)
}

func (v *visitor) keeps(name, domain string) bool {
	v.Helper()
	id := chromedp.FromContext(v.ctx).BrowserContextID
	kept, err := chromedp.CallBrowser(v.ctx, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: id})
	require.NoError(v, err)
	return slices.ContainsFunc(kept.Cookies, func(c *network.Cookie) bool {
		return c.Name == name && (domain == "" || strings.TrimPrefix(c.Domain, ".") == domain)
	})
}

func (v *visitor) wasAsked(what string) bool {
	host, path, _ := strings.Cut(what, "/")
	return slices.ContainsFunc(v.site.Requests(), func(r sites.Request) bool { return r.Host == host && r.Path == "/"+path })
}
