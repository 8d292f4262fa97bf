package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/chromedp/cdproto/emulation"
)

// A hardship is what makes a visit slow: a server that is far away, or a processor that is
// weak.
type hardship struct {
	name      string
	roundTrip time.Duration // to the server
	slowed    float64       // so many times slower is the page's thread; 1 for not at all
}

var hardships = []hardship{
	{"150 ms away", 150 * time.Millisecond, 1},
	{"with a processor 4 times slower", 0, 4},
}

// A hard visit is one under a hardship, then one to the next page of the same visitor, who
// has not answered: the files that both pages share are in the cache then.
type hard struct {
	Script                sample // ms in JavaScript on the first page, compiling included
	Shift                 sample // cumulative layout shift of the first page
	First, Banner         sample // ms from the navigation until the first paint, and until the banner's
	NextFirst, NextBanner sample // those of the next page
}

// A namedHard is what a site's visits were like under one hardship.
type namedHard struct {
	Name string
	hard
}

// HardAt returns what the visits under the numbered hardship were like; nil if there were none.
func (v visited) HardAt(i int) *namedHard {
	if i >= len(v.Hard) {
		return nil
	}
	return &namedHard{v.Name, v.Hard[i]}
}

// startServer starts a server that is a round trip away: a connection takes one to open, and
// each request one to be answered. The server waits, and not the browser: Chromium's own
// emulation opens its connections at once, and no other browser has it. Nothing is slower for
// being longer, so that a large script arrives sooner than on a line that is narrow.
func startServer(handler http.Handler, roundTrip time.Duration) *httptest.Server {
	if roundTrip == 0 {
		return httptest.NewServer(handler)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(roundTrip)
		handler.ServeHTTP(w, r)
	}))
	server.Listener = distant{server.Listener, roundTrip}
	server.Start()
	return server
}

type distant struct {
	net.Listener
	roundTrip time.Duration
}

func (d distant) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	return opening{c, time.Now().Add(d.roundTrip)}, err
}

// An opening connection has nothing to read before its handshake has come and gone.
type opening struct {
	net.Conn
	open time.Time
}

func (o opening) Read(p []byte) (int, error) {
	time.Sleep(time.Until(o.open))
	return o.Conn.Read(p)
}

// slow makes the thread of the tab's pages so many times slower.
func (t *tab) slow(times float64) {
	if times != 1 {
		call(t, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: times})
	}
}

// endure visits each site under each hardship, once in every round, forwards and backwards in
// turn.
func endure(b *browser, result []visited, rounds int) error {
	for i, h := range hardships {
		urls := make([]string, len(result))
		for j := range result {
			server := startServer(result[j].handler, h.roundTrip)
			defer server.Close()
			urls[j] = server.URL
			result[j].Hard = append(result[j].Hard, hard{})
		}
		for round := range rounds {
			for j := range result {
				if round%2 == 1 {
					j = len(result) - 1 - j
				}
				if err := result[j].endure(b, &result[j].Hard[i], h, urls[j]); err != nil {
					return fmt.Errorf("%s, %s: %w", result[j].Name, h.name, err)
				}
			}
		}
	}
	return nil
}

func (v *visited) endure(b *browser, to *hard, h hardship, url string) error {
	if h.slowed > 1 {
		t := b.newTab()
		defer t.close()
		t.slow(h.slowed)
		t.visit(url + untracked)
		to.Script = append(to.Script, t.settle(v.site).script)
		if t.err != nil {
			return t.err
		}
	}
	t := b.newTab()
	defer t.close()
	t.slow(h.slowed)
	t.watch(v.site)
	first, banner := t.paints(v.site, url+untracked)
	to.First, to.Banner = append(to.First, first), append(to.Banner, banner)
	to.Shift = append(to.Shift, eval[float64](t, layoutShift))
	first, banner = t.paints(v.site, url+next)
	to.NextFirst, to.NextBanner = append(to.NextFirst, first), append(to.NextBanner, banner)
	return t.err
}
