package consent_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// A script is what a handler does for one request. Both sides make it from the number of
// the request.
type script struct {
	outside, inside string // what stands around the middleware, and around the handler
	decided, saves  string // what the visitor has decided before, and what the handler saves
	steps           []string
}

// The steps of a handler. It has set both cookies before the first.
var steps = []string{"set a header", "set cookies", "save", "ask", "keep private", "early hints", "a status", "write", "copy",
	"flush", "set trailers", "wait", "return", "panic", "hijack"}

func scriptOf(number uint64) script {
	random := rand.New(rand.NewPCG(number, 0))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	s := script{
		outside: one("nothing", "a timeout", "a short timeout", "gzip", "a recovery", "the middleware"),
		inside:  one("nothing", "a timeout", "gzip", "a recovery"),
		decided: one("", "statistics", "nothing"),
		saves:   one("", "statistics", "nothing"),
	}
	for range random.IntN(9) {
		s.steps = append(s.steps, one(steps...))
	}
	return s
}

func (s script) has(step string) bool { return slices.Contains(s.steps, step) }

// choices are what a visitor of the stress decides. Nobody accepts "profile".
var choices = map[string]consent.Choice{"statistics": consent.Accept(consent.Statistics), "nothing": consent.RefuseAll()}

// setAll sets what passes, what never does, and what waits for "statistics". A response
// that says X-Ran has the first.
func setAll(h http.Header) {
	h.Add("Set-Cookie", "profile=leak; Path=/")
	h.Add("Set-Cookie", "sessionid=1")
	h.Add("Set-Cookie", "_pk_id.1=counted")
	h.Set("X-Ran", "1")
}

// run is the handler. While it takes its steps, three goroutines ask and save.
func (s script) run(t *testing.T, mw *consent.Middleware, w http.ResponseWriter, r *http.Request) {
	setAll(w.Header())
	save := func() {
		if choice, saves := choices[s.saves]; saves {
			if err := mw.Save(w, r, choice); err != nil && !errors.Is(err, consent.ErrTooLate) {
				t.Error(err)
			}
		}
	}
	ask := func() {
		p := consent.FromContext(r.Context())
		if p.Allows(consent.FirstParty) || p.AllowsCookie("profile") || !p.AllowsCookie("sessionid") {
			t.Error("an answer is wrong")
		}
		p.Decided()
	}
	var group sync.WaitGroup
	defer group.Wait()
	for range 3 {
		group.Go(func() {
			ask()
			save()
			consent.FromContext(r.Context()).KeepPrivate("Cookie")
		})
	}
	sent := false // or may be
	for i, step := range s.steps {
		switch step {
		case "set a header":
			w.Header().Set(fmt.Sprint("X-", i), "1")
		case "set cookies":
			w.Header().Add("Set-Cookie", "ad_id=leak")
			w.Header()["set-cookie"] = []string{"profile=leak"}
		case "save":
			save()
		case "ask":
			ask()
		case "keep private":
			consent.FromContext(r.Context()).KeepPrivate()
		case "early hints":
			w.WriteHeader(http.StatusEarlyHints)
		case "a status":
			w.WriteHeader(http.StatusNotFound)
			sent = true
		case "write":
			io.WriteString(w, "written")
			sent = true
		case "copy":
			io.Copy(w, only{strings.NewReader(strings.Repeat("copied", 1000))})
			sent = true
		case "flush":
			http.NewResponseController(w).Flush()
			sent = true
		case "set trailers":
			w.Header().Set(http.TrailerPrefix+"Set-Cookie", "profile=leak")
			w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
		case "wait":
			time.Sleep(time.Millisecond)
		case "return":
			return
		case "panic":
			panic(http.ErrAbortHandler)
		case "hijack":
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				break // HTTP/2, or a timeout
			}
			defer conn.Close()
			if !sent && !s.has("early hints") {
				rw.WriteString("HTTP/1.1 200 OK\r\nX-Ran: 1\r\nSet-Cookie: profile=leak\r\nSet-Cookie: sessionid=1\r\n\r\n")
			}
			rw.WriteString("by hand")
			rw.Flush()
			return
		}
	}
}

// zipped compresses a body as it comes.
type zipped struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w zipped) Write(p []byte) (int, error) { return w.z.Write(p) }
func (w zipped) Flush()                      { w.z.Flush(); http.NewResponseController(w.ResponseWriter).Flush() }
func (w zipped) Unwrap() http.ResponseWriter { return w.ResponseWriter }
func (w zipped) WriteHeader(status int) {
	w.Header().Set("Content-Encoding", "gzip")
	w.ResponseWriter.WriteHeader(status)
}

// around puts what a script names around h.
func around(what string, mw *consent.Middleware, h http.Handler) http.Handler {
	switch what {
	case "a timeout":
		return timed(h)
	case "a short timeout":
		return http.TimeoutHandler(h, 2*time.Millisecond, "late")
	case "a recovery":
		return recovering(h)
	case "the middleware":
		return mw.Wrap(h)
	case "gzip":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			z, _ := gzip.NewWriterLevel(w, gzip.HuffmanOnly) // which takes the least memory
			h.ServeHTTP(zipped{w, z}, r)
			z.Close()
		})
	default:
		return h
	}
}

// A stress is many requests at once, each with a script of its own.
type stress struct {
	mw      *consent.Middleware
	cookies map[string]string // what the browser sends, by what it has decided
	h1, h2  *httptest.Server
	counts  sync.Map // of *atomic.Int64, by what was found
}

func newStress(t *testing.T) *stress {
	s := &stress{cookies: map[string]string{}}
	s.mw = middleware(t, func(c *consent.Config) {
		c.Failed = func(*http.Request, error) {} // handlers ask too late, and run on behind a timeout
		c.Observe = func(_ *http.Request, e consent.Event) {
			if e.Cookie == "profile" && e.Outcome != consent.OutcomeRemoved {
				t.Errorf("%+v", e)
			}
			s.count("events")
		}
	})
	for name, choice := range choices {
		s.cookies[name] = decide(t, s.mw, choice)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.ParseUint(r.URL.RawQuery, 10, 64)
		if err != nil {
			t.Error(err)
		}
		script := scriptOf(number)
		inside := around(script.inside, s.mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { script.run(t, s.mw, w, r) }))
		around(script.outside, s.mw, s.mw.Wrap(inside)).ServeHTTP(w, r)
	})
	for server, http2 := range map[**httptest.Server]bool{&s.h1: false, &s.h2: true} {
		*server = httptest.NewUnstartedServer(handler)
		(*server).Config.ErrorLog = quiet
		(*server).EnableHTTP2 = http2
		if http2 {
			(*server).StartTLS()
		} else {
			(*server).Start()
		}
		t.Cleanup((*server).Close)
	}
	return s
}

// ask sends the request of a number, and checks all that comes back.
func (s *stress) ask(t *testing.T, number uint64) {
	script := scriptOf(number)
	over := s.overHTTP1
	if number%2 == 0 {
		over = s.overHTTP2
	}
	raw, err := over(t.Context(), s.cookies[script.decided], number)
	s.count("requests")
	if err != nil || raw == "" {
		s.count("aborted")
		if !script.has("panic") && !script.has("hijack") {
			t.Errorf("%d %+v: %v", number, script, err)
		}
	}
	if strings.Contains(raw, "leak") {
		t.Errorf("%d %+v: %s", number, script, raw)
	}
	if strings.Contains(raw, "counted") && script.decided != "statistics" && script.saves != "statistics" {
		t.Errorf("%d %+v: %s", number, script, raw)
	}
	heads := strings.Count(raw, "X-Ran: 1\r\n")
	if strings.Count(raw, "Set-Cookie: sessionid=1\r\n") != heads || heads > 0 && !script.has("early hints") && !strings.Contains(raw, "Cache-Control: private\r\n") {
		t.Errorf("%d %+v: %s", number, script, raw)
	}
	for _, found := range findings {
		if strings.Contains(raw, found) {
			s.count(found)
		}
	}
}

// findings are in some responses, or the stress has tried too little.
var findings = []string{"X-Ran", "counted", consent.CookieName, "by hand", "late", "written", "X-Sum"}

func (s *stress) count(what string) {
	n, _ := s.counts.LoadOrStore(what, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (s *stress) overHTTP1(_ context.Context, cookies string, number uint64) (raw string, err error) {
	conn, err := net.Dial("tcp", s.h1.Listener.Addr().String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET /?%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: %s\r\n\r\n", number, cookies)
	b, err := io.ReadAll(conn)
	return string(b), err
}

// overHTTP2 returns what HTTP/1 would have sent.
func (s *stress) overHTTP2(ctx context.Context, cookies string, number uint64) (raw string, err error) {
	var b strings.Builder
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { return http.Header(h).Write(&b) },
	})
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprint(s.h2.URL, "/?", number), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Cookie", cookies)
	response, err := s.h2.Client().Do(r)
	if err != nil {
		return b.String(), err
	}
	defer response.Body.Close()
	response.Header.Write(&b)
	b.WriteString("\r\n")
	_, err = io.Copy(&b, response.Body)
	response.Trailer.Write(&b)
	return b.String(), err
}

// TestNothingLeaksUnderStress asks a thousand times, or for as long as STRESS says:
//
//	STRESS=10m go test -race -run Stress -v -timeout 20m .
func TestNothingLeaksUnderStress(t *testing.T) {
	end, first := time.Now(), uint64(0)
	if long := os.Getenv("STRESS"); long != "" {
		duration, err := time.ParseDuration(long)
		require.NoError(t, err)
		end, first = end.Add(duration), rand.Uint64()
	}
	const atOnce = 32
	s := newStress(t)
	var group sync.WaitGroup
	for i := range uint64(atOnce) {
		group.Go(func() {
			for n := i; (n < 1000 || time.Now().Before(end)) && !t.Failed(); n += atOnce {
				s.ask(t, first+n)
			}
		})
	}
	group.Wait()
	s.counts.Range(func(what, n any) bool {
		t.Log(n.(*atomic.Int64).Load(), what)
		return true
	})
	for _, found := range findings {
		_, has := s.counts.Load(found)
		assert.True(t, has, found)
	}
}
