package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/backend"
)

// TestLoad holds 10,000 connections and 1,000 websockets open to the proxy for as
// long as PROXY_LOAD says, all of them in use, and looks at its memory,
// descriptors and goroutines while it does and when all have left. It needs
// 13,000 descriptors (ulimit -n) and Linux.
//
//	PROXY_LOAD=10m go test -run TestLoad -v -timeout 20m ./proxy/cmd/consentproxy
func TestLoad(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("PROXY_LOAD"))
	if err != nil {
		t.Skip("PROXY_LOAD says for how long, such as 10m")
	}
	const connections, websockets = 10_000, 1_000
	const pause = 40 * time.Second // of each connection, between a page and the next
	content := page + strings.Repeat("<p>text", 3000)
	p := start(t, "-inject", "-to", newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echo(w)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Set-Cookie", "_ga=1")
		io.WriteString(w, content)
	}))
	_, _, err = ask(t, "GET", p.site, "Connection: close")
	require.NoError(t, err)
	before := p.look(t)
	t.Log("at rest:", before)

	var pages, echoes, failures atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	visit := func(i, of int, turn func(conn net.Conn, reader *bufio.Reader) error, count *atomic.Int64, head string) {
		defer group.Done()
		// All come within one pause, and then again and again.
		next := time.NewTimer(pause * time.Duration(i) / time.Duration(of))
		defer next.Stop()
		fail := func(err error) {
			if failures.Add(1) < 10 {
				t.Error(err)
			}
		}
		var conn net.Conn
		var reader *bufio.Reader
		for {
			select {
			case <-stop:
				if conn != nil {
					conn.Close()
				}
				return
			case <-next.C:
			}
			next.Reset(pause)
			if conn == nil {
				var err error
				if conn, err = net.Dial("tcp", strings.TrimPrefix(p.site, "http://")); err != nil {
					fail(err)
					return
				}
				reader = bufio.NewReaderSize(conn, 512)
				if head != "" {
					io.WriteString(conn, head)
					if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
						fail(fmt.Errorf("no websocket: %v", err))
						return
					}
				}
			}
			if err := turn(conn, reader); err != nil {
				fail(err)
				conn.Close()
				return
			}
			count.Add(1)
		}
	}
	group.Add(connections + websockets)
	for i := range connections {
		go visit(i, connections, func(conn net.Conn, reader *bufio.Reader) error {
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				return err
			}
			n, err := io.Copy(io.Discard, response.Body)
			if want := int64(len(content) + len(bannerTag)); err == nil && n != want || response.Header["Set-Cookie"] != nil {
				err = fmt.Errorf("a page of %d bytes, not %d, with cookies %q", n, want, response.Header["Set-Cookie"])
			}
			return err
		}, &pages, "")
	}
	for i := range websockets {
		message := fmt.Sprintf("message %d", i)
		go visit(i, websockets, func(conn net.Conn, reader *bufio.Reader) error {
			io.WriteString(conn, message)
			got := make([]byte, len(message))
			_, err := io.ReadFull(reader, got)
			if err == nil && string(got) != message {
				err = fmt.Errorf("%q came back as %q", message, got)
			}
			return err
		}, &echoes, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	}

	begin := time.Now()
	var early, late vitals
	for samples := 0; time.Since(begin) < duration; samples++ {
		time.Sleep(duration / 20)
		now := p.look(t)
		t.Logf("after %v: %v; %d pages, %d echoes, %d failures", time.Since(begin).Round(time.Second), now, pages.Load(), echoes.Load(), failures.Load())
		if samples < 10 {
			early.resident = max(early.resident, now.resident)
		} else {
			late.resident = max(late.resident, now.resident)
		}
	}
	close(stop)
	group.Wait()
	assert.Zero(t, failures.Load())
	assert.Less(t, float64(late.resident), 1.1*float64(early.resident), "memory is flat")

	var after vitals
	assert.Eventually(t, func() bool {
		after = p.look(t)
		return after.descriptors <= before.descriptors && after.goroutines <= before.goroutines
	}, 2*backend.IdleTimeout+time.Minute, 5*time.Second, "nothing is left behind")
	t.Log("when all have left:", after)
	assert.NotContains(t, p.errs.String(), "does not answer")
}

// echo answers an upgrade, and then what it is sent.
func echo(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	io.Copy(conn, buffered)
}

// vitals are what a process holds.
type vitals struct{ resident, descriptors, goroutines int }

func (v vitals) String() string {
	return fmt.Sprintf("%d MB resident, %d descriptors, %d goroutines", v.resident>>20, v.descriptors, v.goroutines)
}

func (p program) look(t *testing.T) vitals {
	v := vitals{resident: p.memory(t, "VmRSS")}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	require.NoError(t, err)
	v.descriptors = len(open)
	require.NoError(t, p.Process.Signal(sayGoroutines))
	_, err = fmt.Fscanf(p.out, "goroutines %d\n", &v.goroutines)
	require.NoError(t, err)
	return v
}
