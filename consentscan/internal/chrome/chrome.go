// Package chrome starts a Chromium and speaks its DevTools protocol over a pipe. Unlike a
// driver it attaches to everything that a page starts: frames of other sites, workers of
// each sort, windows. All of them wait for [Session] to be set up before they run.
package chrome

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// ErrNoBrowser says that no Chromium is installed, and how to get one.
var ErrNoBrowser = errors.New("no Chromium was found: install chromium, chromium-browser or google-chrome (on Debian: apt-get install chromium), or name it by -browser PATH")

// ErrGone says that the browser has ended.
var ErrGone = errors.New("the browser has ended")

// names are looked for in PATH, in this order.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"}

// flags make a Chromium headless and silent towards its maker, and have pages in the
// background run as those in front. Without isolation of sites the frames of one page
// share a process: a tenth of the memory, and what is stored is the same.
var flags = []string{"--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--remote-debugging-pipe",
	"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
	"--disable-dev-shm-usage", "--disable-client-side-phishing-detection", "--disable-domain-reliability", "--metrics-recording-only",
	"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
	"--disable-hang-monitor", "--disable-prompt-on-repost", "--mute-audio", "--password-store=basic", "--use-mock-keychain",
	"--disable-site-isolation-trials", "--disable-blink-features=AutomationControlled", "--disable-features=IsolateOrigins,site-per-process,BackForwardCache,RenderDocument,WebUIOmniboxPopup,WebUIOmniboxAimPopup,Translate,MediaRouter,OptimizationHints,CertificateTransparencyComponentUpdater"}

// Options are how a Chromium is started. The zero value looks one up in PATH.
type Options struct {
	Path string
	// Args are further arguments.
	Args []string
	// InvalidCertificates says that pages are shown whose certificate is not valid.
	InvalidCertificates bool
}

// A Browser is a running Chromium with a profile of its own, which [Browser.Close] removes.
type Browser struct {
	// Product is such as "Chrome/156.0.1".
	Product string
	// UserAgent is that of a visitor's: a site may show a program no banner.
	UserAgent string

	cmd     *exec.Cmd
	pipe    *chromedp.PipeConn
	profile string
	next    atomic.Int64
	gone    chan struct{} // closed when nothing more can be read

	mu       sync.Mutex
	pending  map[int64]chan *cdproto.Message
	sessions map[target.SessionID]*Session
	owners   map[cdp.BrowserContextID]Owner
}

// Start starts a Chromium. It ends when ctx does, or by [Browser.Close].
func Start(ctx context.Context, options Options) (*Browser, error) {
	path, err := find(options.Path)
	if err != nil {
		return nil, err
	}
	profile, err := newProfile()
	if err != nil {
		return nil, err
	}
	args := append([]string{"--user-data-dir=" + profile}, flags...)
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to run as root with it
	}
	if options.InvalidCertificates {
		args = append(args, "--ignore-certificate-errors")
	}
	b := &Browser{
		profile:  profile,
		gone:     make(chan struct{}),
		pending:  make(map[int64]chan *cdproto.Message),
		sessions: make(map[target.SessionID]*Session),
		owners:   make(map[cdp.BrowserContextID]Owner),
	}
	b.cmd = exec.CommandContext(ctx, path, append(append(args, options.Args...), "about:blank")...)
	if b.pipe, err = start(b.cmd); err != nil {
		_ = os.RemoveAll(profile)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	go b.read(ctx)
	if err := b.hello(ctx); err != nil {
		b.Close()
		return nil, fmt.Errorf("%s does not speak: %w", path, err)
	}
	return b, nil
}

func (b *Browser) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a cold disk, a busy machine
	defer cancel()
	version, err := Call(ctx, b, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return err
	}
	b.Product, b.UserAgent = version.Product, strings.ReplaceAll(version.UserAgent, "Headless", "")
	return autoAttach(ctx, b)
}

func find(path string) (string, error) {
	if path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, ErrNoBrowser)
		}
		return found, nil
	}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", ErrNoBrowser
}

// preferences let third parties set cookies, as most visitors' browsers do: a browser
// context counts as a private window, where Chromium would refuse them.
const preferences = `{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`

func newProfile() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "consentscan"); err != nil {
		return "", err
	}
	if err = os.Mkdir(filepath.Join(dir, "Default"), 0o700); err == nil {
		err = os.WriteFile(filepath.Join(dir, "Default", "Preferences"), []byte(preferences), 0o600)
	}
	return dir, err
}

// Close ends the browser and all that it has started, and removes its profile.
func (b *Browser) Close() {
	_ = kill(b.cmd) // an error means that it is gone
	_ = b.pipe.Close()
	_ = b.cmd.Wait()
	<-b.gone
	// A child may write to the profile for a moment yet.
	for range 50 {
		if os.RemoveAll(b.profile) == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Gone is closed when the browser has ended.
func (b *Browser) Gone() <-chan struct{} { return b.gone }

// Call runs a command of the browser as a whole.
func (b *Browser) Call(ctx context.Context, method string, params, result any) error {
	return b.call(ctx, "", method, params, result)
}

// A Caller runs commands: a [Browser] or a [Session].
type Caller interface {
	Call(ctx context.Context, method string, params, result any) error
}

// Call runs a command and returns its result.
func Call[P, R any](ctx context.Context, on Caller, command cdp.Command[P, R], params P) (R, error) {
	var result R
	err := on.Call(ctx, command.Method, params, &result)
	return result, err
}

func (b *Browser) call(ctx context.Context, session target.SessionID, method string, params, result any) error {
	id, answer := b.next.Add(1), make(chan *cdproto.Message, 1)
	b.mu.Lock()
	b.pending[id] = answer
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.pending, id)
		b.mu.Unlock()
	}()
	if err := b.send(ctx, id, session, method, params); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b.gone:
		return ErrGone
	case message := <-answer:
		if message.Error != nil {
			return fmt.Errorf("%s: %w", method, message.Error)
		}
		if result == nil {
			return nil
		}
		return jsonv2.Unmarshal(message.Result, result, chromedp.DefaultUnmarshalOptions)
	}
}

func (b *Browser) send(ctx context.Context, id int64, session target.SessionID, method string, params any) error {
	data, err := jsonv2.Marshal(params, chromedp.DefaultMarshalOptions)
	if err != nil {
		return err
	}
	return b.pipe.Write(ctx, &cdproto.Message{ID: id, SessionID: session, Method: cdproto.MethodType(method), Params: data})
}
