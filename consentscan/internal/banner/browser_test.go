package banner_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
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
	flag.Parse()
	_ = flag.Set("test.parallel", "6") // they wait more than they compute
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
	loading map[network.RequestID]time.Time
	last    time.Time // of a request or its end
	opened  int       // documents of the main frame
}

func newTab(t *testing.T) *tab {
	t.Helper()
	path := browsertest.FindChromium(t)
	chromium.start.Do(func() {
		options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Flag("window-size", "1200,900"), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")}
		for name, value := range browsertest.Flags() {
			options = append(options, chromedp.Flag(name, value))
		}
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		chromium.ctx, _ = chromedp.NewContext(allocator)
		chromium.stop, chromium.err = stop, chromedp.Do(chromium.ctx)
	})
	require.NoError(t, chromium.err)
	tb := &tab{loading: make(map[network.RequestID]time.Time)}
	ctx, closeTab := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tb.listen))
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
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
		if event.Type == network.ResourceTypeDocument {
			tb.opened++
			clear(tb.loading)
		}
		tb.loading[event.RequestID] = time.Now()
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
	end := time.Now().Add(20 * time.Second)
	quietSince := time.Now()
	for time.Now().Before(end) {
		var state string
		err := tb.Eval(ctx, `document.readyState`, &state)
		tb.mu.Lock()
		busy := err != nil || state != "complete"
		for _, since := range tb.loading {
			busy = busy || time.Since(since) < 3*time.Second // of a page that was left no end is told
		}
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
		const {x, y, width, height} = target.getClientRects()[0]; // a link may be broken over lines
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

// forget makes the visitor a new one. It leaves the page before.
func (tb *tab) forget(t *testing.T, site string) {
	t.Helper()
	require.NoError(t, chromedp.Do(tb.ctx, chromedp.Navigate("about:blank")))
	_, err := chromedp.Call(tb.ctx, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: site, StorageTypes: "all"})
	require.NoError(t, err)
}

// packages returns the folder of npm's in which the banners lie.
func packages(t *testing.T) http.Dir {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "dev", "bench", "node_modules")
	browsertest.Installed(t, filepath.Join(folder, "klaro"), "npm ci --ignore-scripts --prefix dev/bench")
	return http.Dir(folder)
}
