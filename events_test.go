package consent_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// watched serves a handler and returns the response and what was told of it.
func watched(t *testing.T, change func(*consent.Config), cookies string, handler http.HandlerFunc) (*http.Response, []consent.Event) {
	t.Helper()
	var events []consent.Event
	mw := middleware(t, func(c *consent.Config) {
		c.Observe = func(_ *http.Request, e consent.Event) { events = append(events, e) }
		if change != nil {
			change(c)
		}
	})
	return serve(t, mw, cookies, handler), events
}

func TestNothingElseChangesWhereItIsOnlyReported(t *testing.T) {
	recently := time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat)
	lines := []string{"profile=1; Path=/", "nobody=1", "\x01=1", "sessionid=1", "x=; Expires=" + recently, "bare"}
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("Trailer", "Set-Cookie")
		w.Header()["Set-Cookie"] = lines
		w.Header().Set(http.TrailerPrefix+"Set-Cookie", "profile=2")
		io.WriteString(w, "x")
	}
	bare := httptest.NewRecorder()
	handler(bare, nil)
	response, events := watched(t, reportOnly, "", handler)
	assert.Equal(t, bare.Result().Header, response.Header)
	assert.Equal(t, bare.Result().Trailer, response.Trailer)
	var told []string
	for _, e := range events {
		assert.True(t, e.ReportOnly)
		told = append(told, fmt.Sprint(e.Cookie, " ", e.Outcome, " ", e.Reason))
	}
	assert.Equal(t, []string{"profile removed undecided", "nobody removed undeclared", " removed unreadable", " removed undeclared", "profile removed trailer"}, told)

	raw := rawGet(t, through(t, middleware(t, reportOnly), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nSet-Cookie:profile=1\r\n\r\n")
		conn.Close()
	})), plainGet)
	assert.Equal(t, "HTTP/1.1 200 OK\r\nSet-Cookie:profile=1\r\n\r\n", raw)
}

func TestNothingIsInventedWhereAHeadIsHeldBack(t *testing.T) {
	for name, only := range map[string]bool{"reported": true, "enforced": false} {
		t.Run(name, func(t *testing.T) {
			var events []consent.Event
			mw := middleware(t, func(c *consent.Config) {
				c.ReportOnly = only
				c.Observe = func(_ *http.Request, e consent.Event) { events = append(events, e) }
			})
			rawGet(t, timed(through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				h.Add("Set-Cookie", "profile=1")
				h.Add("Set-Cookie", "sessionid=1; Path=/x")
				h["set-cookie"] = []string{"nobody=1"}
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusOK)
				io.WriteString(w, "x")
				h.Add("Set-Cookie", "ad_id=1") // which http.TimeoutHandler still sends
				io.WriteString(w, "y")
			}))), plainGet)
			var told []string
			for _, e := range events {
				told = append(told, e.Cookie)
			}
			slices.Sort(told)
			want := []string{"ad_id", "nobody", "profile", "sessionid"}
			if !only {
				want = []string{"ad_id", "nobody", "nobody", "profile", "profile", "sessionid"} // twice removed: from the early hints too
			}
			assert.Equal(t, want, told)
		})
	}
}

// A site wants to know which of its handlers sets the cookie, and for whom.
func TestNothingIsLostOfTheRequestThatAnEventBelongsTo(t *testing.T) {
	var patterns []string
	mw := middleware(t, func(c *consent.Config) {
		c.Observe = func(r *http.Request, e consent.Event) {
			patterns = append(patterns, r.Pattern)
			assert.True(t, consent.FromContext(r.Context()).Allows(consent.FirstParty))
		}
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", set("ad_id=1"))
	serve(t, mw, decide(t, mw, consent.Accept(consent.FirstParty)), mux.ServeHTTP)
	assert.Equal(t, []string{"GET /{$}"}, patterns)
}

// What becomes of a line is told only if it might leave.
func TestNothingIsInventedOfLinesThatLeaveNoMore(t *testing.T) {
	told := func(send func(h http.Handler), handler http.HandlerFunc) (events []string) {
		mw := middleware(t, func(c *consent.Config) {
			c.Observe = func(_ *http.Request, e consent.Event) { events = append(events, e.Cookie) }
		})
		send(through(t, mw, handler))
		return events
	}
	for name, send := range map[string]func(http.ResponseWriter){
		"WriteHeader":                  func(w http.ResponseWriter) { w.WriteHeader(200) },
		"Write":                        func(w http.ResponseWriter) { w.Write([]byte("x")) },
		"WriteString":                  func(w http.ResponseWriter) { io.WriteString(w, "x") },
		"ReadFrom":                     func(w http.ResponseWriter) { io.Copy(w, only{strings.NewReader("x")}) },
		"Flush":                        func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"FlushError":                   func(w http.ResponseWriter) { assert.NoError(t, http.NewResponseController(w).Flush()) },
		"a switch that comes too late": func(w http.ResponseWriter) { w.WriteHeader(200); w.WriteHeader(101) },
	} {
		t.Run(name, func(t *testing.T) {
			h := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Set-Cookie", "profile=1")
				send(w)
				w.Header().Add("Set-Cookie", "ad_id=1")
				io.WriteString(w, "y")
			}
			assert.Equal(t, []string{"profile"}, told(func(h http.Handler) { rawGet(t, h, plainGet) }, h))
			assert.Equal(t, []string{"profile"}, told(func(h http.Handler) { rawGet(t, wrapped(t, h), plainGet) }, h), "wrapped twice")
			assert.Equal(t, []string{"profile"}, told(func(h http.Handler) { getH2(t, h) }, h), "on HTTP/2")
		})
	}
	t.Run("a body that sets headers", func(t *testing.T) {
		assert.Equal(t, []string{"profile"}, told(func(h http.Handler) { rawGet(t, h, plainGet) }, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "profile=1")
			io.Copy(w, whenRead{iotest.OneByteReader(strings.NewReader("xyz")), func() {
				if w.Header().Get("Late") == "" {
					w.Header().Set("Late", "1")
				} else {
					w.Header().Add("Set-Cookie", "ad_id=1")
				}
			}})
		}))
	})
	t.Run("a flush through the writer of others", func(t *testing.T) {
		assert.Equal(t, []string{"profile"}, told(func(h http.Handler) {
			rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(withOnlyUnwrap(w), r)
			}), plainGet)
		}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "profile=1")
			assert.NoError(t, http.NewResponseController(w).Flush())
			w.Header().Add("Set-Cookie", "ad_id=1")
			io.WriteString(w, "y")
		}))
	})
	for name, outside := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"a head by hand": func(w http.ResponseWriter) http.ResponseWriter { return w },
		"a head by hand, through the writer of others": withOnlyUnwrap,
	} {
		t.Run(name, func(t *testing.T) {
			server, client := net.Pipe()
			defer client.Close()
			go io.Copy(io.Discard, client)
			assert.Equal(t, []string{"profile"}, told(func(h http.Handler) {
				h.ServeHTTP(outside(bufferless{httptest.NewRecorder(), server}), httptest.NewRequest("GET", "/", nil))
			}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Set-Cookie", "ad_id=1")
				conn := hijack(t, w)
				defer conn.Close()
				io.WriteString(conn, headWith())
			}))
		})
	}
}

func TestNothingIsForgottenWhereItIsOnlyReported(t *testing.T) {
	mw := middleware(t, reportOnly)
	response, events := watched(t, reportOnly, "profile=1; sessionid=1", func(w http.ResponseWriter, r *http.Request) { set("profile=2")(w, r) })
	assert.Equal(t, []string{"profile"}, names(response))
	assert.Len(t, events, 1)

	yes := decide(t, mw, consent.AcceptAll())
	assert.Equal(t, "public", serve(t, mw, yes, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public")
		set("profile=1")(w, r)
	}).Header.Get("Cache-Control"))

	saved := serve(t, mw, "profile=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.Equal(t, []string{consent.CookieName}, names(saved), "the decision is kept, and nothing expired")
}

func TestNothingIsInventedInTheCharterUnobserved(t *testing.T) {
	declare := func(c *consent.Config) {
		c.Registry = consent.MustRegistry(
			consent.Cookie{Provider: "Site", Name: "week", Purpose: text("x"), Category: consent.Necessary, Lifetime: 7 * 24 * time.Hour, Domain: ".example.com", Path: "/shop"},
			consent.Cookie{Provider: "Site", Name: "session*", Purpose: text("x"), Category: consent.Necessary},
			consent.Cookie{Provider: "Site", Name: "hidden", Purpose: text("x"), Category: consent.Necessary, HttpOnly: true},
			consent.Cookie{Provider: "Other", Name: "two", Purpose: text("x"), Category: consent.Necessary, Lifetime: 2 * time.Hour},
			consent.Cookie{Provider: "Site", Name: "two", Purpose: text("x"), Category: consent.Necessary, Lifetime: time.Hour},
		)
	}
	soon := time.Now().Add(7*24*time.Hour + 10*time.Second).UTC().Format(http.TimeFormat)
	for line, want := range map[string][]consent.Reason{
		"week=1; Max-Age=604800; Domain=example.com; Path=/shop":       nil,
		"week=1; Expires=" + soon + "; Domain=EXAMPLE.com; Path=/shop": nil,
		"week=1; Domain=example.com; Path=/shop":                       nil, // for less than declared
		"week=1; Max-Age=700000; Domain=example.com; Path=/shop":       {consent.ReasonOutlivesDeclared},
		"week=1; Domain=www.example.com; Path=/shop":                   {consent.ReasonOtherDomain},
		"week=1; Path=/shop":                 {consent.ReasonOtherDomain},
		"week=1; Domain=example.com; Path=/": {consent.ReasonOtherPath},
		"week=1; Max-Age=700000; Path=/":     {consent.ReasonOutlivesDeclared, consent.ReasonOtherDomain, consent.ReasonOtherPath},
		"week=1; Max-Age=0; Path=/elsewhere": nil, // a deletion
		"session1=1":                         nil, // the request's path gives "/"
		"session1=1; Max-Age=3600":           {consent.ReasonOutlivesDeclared},
		"session1=1; Path=/x":                {consent.ReasonOtherPath},
		"hidden=1; HttpOnly":                 nil,
		"hidden=1; Secure":                   {consent.ReasonNotHttpOnly},
		"two=1; HttpOnly; Max-Age=60":        nil, // no declaration says that scripts need it
		"two=1; Max-Age=7200":                nil, // as one of two declares it
		"two=1; Max-Age=9000":                {consent.ReasonOutlivesDeclared},
	} {
		t.Run(line, func(t *testing.T) {
			response, events := watched(t, declare, "", func(w http.ResponseWriter, r *http.Request) {
				set(line)(w, r)
				io.WriteString(w, "told once, ")
				io.WriteString(w, "however often the head is judged")
			})
			assert.Equal(t, []string{line}, response.Header["Set-Cookie"])
			var reasons []consent.Reason
			for _, e := range events {
				assert.Equal(t, consent.OutcomePassed, e.Outcome)
				reasons = append(reasons, e.Reason)
			}
			assert.Equal(t, want, reasons)
		})
	}
}

func TestNothingIsLostOfAttributes(t *testing.T) {
	_, events := watched(t, nil, "", set("nobody=secret; Domain=.Example.com; Path=/a; Max-Age=60; Secure; HttpOnly; SameSite=None"))
	require.Len(t, events, 1)
	assert.Equal(t, consent.Attributes{Domain: "example.com", Path: "/a", Lifetime: time.Minute, Secure: true, HttpOnly: true, SameSite: "None"}, events[0].Attributes)
	assert.NotContains(t, fmt.Sprint(events), "secret")
}

func TestNothingIsLostInALogThatStaysReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		observe := consent.LogTo(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})), 0)
		mw := middleware(t, func(c *consent.Config) { c.Observe, c.ReportOnly = observe, true })
		for range 100 {
			serve(t, mw, "", set("profile=1"))
		}
		time.Sleep(time.Minute - 1)
		serve(t, mw, "", set("profile=1"))
		serve(t, mw, "", set("n\u202eo\x1b[31m=1", "nobody=1", "sessionid=1; Path=/x"))
		time.Sleep(time.Nanosecond)
		serve(t, mw, "", set("profile=1"))
		assert.Equal(t, `level=INFO msg="cookie would be removed" cookie=profile reason=undecided request=/ more=0
level=WARN msg="cookie would be removed" cookie="" reason=unreadable request=/ more=0
level=WARN msg="cookie would be removed" cookie=nobody reason=undeclared request=/ more=0
level=WARN msg="cookie is not as declared" cookie=sessionid reason=path request=/ more=0
level=INFO msg="cookie would be removed" cookie=profile reason=undecided request=/ more=100
`, log.String())

		var logged string
		observe = consent.LogTo(slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "cookie" {
				logged = a.Value.String()
			}
			return a
		}})), 0)
		observe(httptest.NewRequest("GET", "/", nil), consent.Event{Cookie: "\x1b[31m", Outcome: consent.OutcomePassed, Reason: consent.ReasonUndeclared})
		assert.Equal(t, `"\x1b[31m"`, logged, "whatever the handler does with it")

		log.Reset()
		observe = consent.LogTo(slog.New(slog.NewTextHandler(&log, nil)), time.Hour)
		for i := range 5000 {
			observe(httptest.NewRequest("GET", "/", nil), consent.Event{Cookie: fmt.Sprintf("\u009b%d", i), Outcome: consent.OutcomePassed, Reason: consent.ReasonUndeclared})
		}
		assert.Less(t, strings.Count(log.String(), "\n"), 1010, "a flood of names is bounded")
		assert.Contains(t, log.String(), `cookie=*`)
		assert.NotContains(t, log.String(), "\u009b")
	})
}

// A said event is what a log says of one.
type said struct {
	level         slog.Level
	message       string
	cookie, where string
	reason        consent.Reason
	more          int64
	context       any
}

// A sayer is a handler of a log that notes all that it is told.
type sayer struct {
	slog.Handler
	mu   sync.Mutex
	said []said
}

type contextKey struct{}

func (s *sayer) Handle(ctx context.Context, r slog.Record) error {
	one := said{level: r.Level, message: r.Message, context: ctx.Value(contextKey{})}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "cookie":
			one.cookie = a.Value.String()
		case "request":
			one.where = a.Value.String()
		case "reason":
			one.reason = consent.Reason(a.Value.String())
		case "more":
			one.more = a.Value.Int64()
		}
		return true
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, one)
	return nil
}

func TestNothingIsInventedInTheWordsOfALog(t *testing.T) {
	const info, warn = slog.LevelInfo, slog.LevelWarn
	s := &sayer{Handler: slog.DiscardHandler}
	observe := consent.LogTo(slog.New(enabled{s}), 0)
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), contextKey{}, "trace"), "GET", "/", nil)
	r.URL.Path = "/\x1b[31m"
	for _, test := range []struct {
		event consent.Event
		want  said
	}{
		{consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndecided}, said{level: info, message: "cookie removed", cookie: "a"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonRefused}, said{level: info, message: "cookie removed", cookie: "a"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonObjected}, said{level: info, message: "cookie removed", cookie: "a"}},
		{consent.Event{Cookie: "b", Outcome: consent.OutcomeExpired, Reason: consent.ReasonRefused}, said{level: info, message: "cookie expired", cookie: "b"}},
		{consent.Event{Cookie: "c", Outcome: consent.OutcomeExpired, Reason: consent.ReasonRefused, ReportOnly: true}, said{level: info, message: "cookie would be expired", cookie: "c"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared}, said{level: warn, message: "cookie removed", cookie: "a"}},
		{consent.Event{Cookie: "d", Outcome: consent.OutcomePassed, Reason: consent.ReasonUndeclared, ReportOnly: true}, said{level: warn, message: "cookie passed", cookie: "d"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUnreadable}, said{level: warn, message: "cookie removed", cookie: "a"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonInTrailer}, said{level: warn, message: "cookie removed", cookie: "a"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomePassed, Reason: consent.ReasonOutlivesDeclared}, said{level: warn, message: "cookie is not as declared", cookie: "a"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomePassed, Reason: consent.ReasonOtherDomain}, said{level: warn, message: "cookie is not as declared", cookie: "a"}},
		{consent.Event{Cookie: "a", Outcome: consent.OutcomePassed, Reason: consent.ReasonOtherPath}, said{level: warn, message: "cookie is not as declared", cookie: "a"}},
		{consent.Event{Cookie: "a\xff", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared}, said{level: warn, message: "cookie removed", cookie: `"a\xff"`}},
	} {
		s.said = nil
		observe(r, test.event)
		test.want.reason, test.want.where, test.want.context = test.event.Reason, `"/\x1b[31m"`, "trace"
		assert.Equal(t, []said{test.want}, s.said, "each name and reason for the first time")
	}
}

// enabled takes records of every level.
type enabled struct{ *sayer }

func (enabled) Enabled(context.Context, slog.Level) bool { return true }

func TestNothingIsLostOfWhatALogCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sayer{Handler: slog.DiscardHandler}
		observe := consent.LogTo(slog.New(enabled{s}), time.Hour)
		r := httptest.NewRequest("GET", "/", nil)
		event := func(i int) consent.Event {
			return consent.Event{Cookie: fmt.Sprint(i), Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared}
		}
		var group sync.WaitGroup // -race tells, too
		for range 10 {
			group.Go(func() {
				for i := range 2000 {
					observe(r, event(i))
				}
			})
		}
		group.Wait()
		assert.Len(t, s.said, 1001, "each of a thousand, and one for the others")
		for _, want := range []int64{9, 0} {
			time.Sleep(time.Hour)
			s.said = nil
			observe(r, event(0))
			require.Len(t, s.said, 1)
			assert.Equal(t, "0", s.said[0].cookie, "which was among the first thousand")
			assert.Equal(t, want, s.said[0].more)
		}
	})
}
