package banner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/element"
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

// A tab is a page of a new visitor.
type tab struct {
	ctx context.Context

	mu      sync.Mutex
	loading map[network.RequestID]bool
	last    time.Time // of a request or its end
	opened  int       // documents of the main frame
}

func newTab(t *testing.T) *tab {
	t.Helper()
	path := browsertest.FindChromium(t)
	chromium.start.Do(func() {
		options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Flag("window-size", "1200,900"), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")}
		for _, flag := range browsertest.ChromiumFlags {
			name, value, hasValue := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
			if hasValue {
				options = append(options, chromedp.Flag(name, value))
			} else {
				options = append(options, chromedp.Flag(name, true))
			}
		}
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		chromium.ctx, _ = chromedp.NewContext(allocator)
		chromium.stop, chromium.err = stop, chromedp.Do(chromium.ctx)
	})
	require.NoError(t, chromium.err)
	tb := &tab{loading: make(map[network.RequestID]bool)}
	ctx, closeTab := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tb.listen))
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(func() { cancel(); closeTab() })
	tb.ctx = ctx
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	return tb
}

func (tb *tab) listen(event any) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		tb.loading[event.RequestID] = true
		if event.Type == network.ResourceTypeDocument {
			tb.opened++
			clear(tb.loading)
		}
	case *network.EventLoadingFinished:
		delete(tb.loading, event.RequestID)
	case *network.EventLoadingFailed:
		delete(tb.loading, event.RequestID)
	default:
		return
	}
	tb.last = time.Now()
}

func (tb *tab) Open(ctx context.Context, url string) error {
	if err := chromedp.Do(tb.ctx, chromedp.Navigate(url)); err != nil {
		return err
	}
	return tb.Settle(ctx)
}

func (tb *tab) Settle(ctx context.Context) error {
	end := time.Now().Add(5 * time.Second)
	quietSince := time.Now()
	for time.Now().Before(end) {
		var state string
		err := tb.Eval(ctx, `document.readyState`, &state)
		tb.mu.Lock()
		busy := err != nil || state != "complete" || len(tb.loading) > 0
		if tb.last.After(quietSince) {
			quietSince = tb.last
		}
		tb.mu.Unlock()
		if busy {
			quietSince = time.Now()
		} else if time.Since(quietSince) > 250*time.Millisecond {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("not at rest: %v", tb.loading)
}

func (tb *tab) Eval(_ context.Context, expression string, result any) error {
	raw, err := chromedp.Run(tb.ctx, chromedp.Evaluate[json.RawMessage](expression, chromedp.EvalAwaitPromise))
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(raw, result)
}

func (tb *tab) Address(ctx context.Context) (string, error) {
	var address string
	return address, tb.Eval(ctx, `location.href`, &address)
}

func (tb *tab) Click(ctx context.Context, selector string) error {
	point, err := tb.point(ctx, selector)
	if err != nil {
		return err
	}
	return chromedp.Do(tb.ctx, chromedp.MouseClickXY(point[0], point[1]))
}

func (tb *tab) point(ctx context.Context, selector string) ([]float64, error) {
	var point []float64
	err := element.Call(ctx, tb, &point, `
		const target = find(argument).find(seen);
		if (!target) return [];
		target.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
		const {x, y, width, height} = target.getBoundingClientRect();
		return [x + width / 2, y + height / 2];`, element.CSS(selector))
	if err == nil && len(point) != 2 {
		err = fmt.Errorf("no visible %s", selector)
	}
	return point, err
}

func (tb *tab) documents() int {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.opened
}

func (tb *tab) cookies(t *testing.T) []string {
	t.Helper()
	result, err := chromedp.Call(tb.ctx, network.GetCookies, network.GetCookiesParams{})
	require.NoError(t, err)
	var names []string
	for _, cookie := range result.Cookies {
		names = append(names, cookie.Name)
	}
	return names
}

var _ = cdp.Empty{}

// packages returns the folder of npm's in which the banners lie.
func packages(t *testing.T) http.Dir {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "dev", "bench", "node_modules")
	if _, err := os.Stat(filepath.Join(folder, "klaro")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("npm ci --ignore-scripts --prefix dev/bench has not been run, and CI=true asks for it")
		}
		t.Skip("npm ci --ignore-scripts --prefix dev/bench has not been run")
	}
	return http.Dir(folder)
}
