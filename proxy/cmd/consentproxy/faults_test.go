package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dial connects to an address of http, and gives the test up after a while.
func dial(t testing.TB, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn, bufio.NewReader(conn)
}

func TestAnAnswerWithoutAContentTypeStaysWithout(t *testing.T) {
	const script = "<html><script>alert(1)</script>"
	for name, head := range map[string]string{
		"nosniff":          "X-Content-Type-Options: nosniff\r\nContent-Length: 31\r\n",
		"of unknown end":   "Connection: close\r\n",
		"a removed cookie": "Set-Cookie: _ga=1\r\nContent-Length: 31\r\n",
		"an empty type":    "Content-Type:\r\nContent-Length: 31\r\n",
	} {
		for _, early := range []string{"", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"} {
			for _, inject := range []bool{false, true} {
				t.Run(fmt.Sprint(name, ", early hints ", early != "", ", inject ", inject), func(t *testing.T) {
					address, _ := inFront(t, rawSite(t, func(conn net.Conn) {
						io.WriteString(conn, early+"HTTP/1.1 200 OK\r\n"+head+"\r\n"+script)
					}), options{inject: inject})
					response, body, err := ask(t, "GET", address)
					require.NoError(t, err)
					assert.Equal(t, script, body)
					assert.Empty(t, response.Header.Get("Content-Type"))
				})
			}
		}
	}
}

func TestWhatIsNoRequestToASiteIsAnsweredByTheProxy(t *testing.T) {
	asked := make(chan string, 10)
	address, _ := inFront(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) { asked <- r.Method + " " + r.Host }), options{})
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\nCookie: sessionid=secret\r\n\r\n", 405},
		{"TRACK", "TRACK / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"CONNECT", "CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n", 405},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405},
		{"PRI", "PRI / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
		{"HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", 400},
		{"no page", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, from := dial(t, address)
			io.WriteString(conn, test.request)
			response, err := http.ReadResponse(from, nil)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, test.status, response.StatusCode)
			assert.NotContains(t, string(body), "secret")
			assert.Equal(t, test.status == 405, response.Header.Get("Allow") != "")
		})
	}
	assert.Empty(t, asked)
	conn, from := dial(t, address)
	io.WriteString(conn, "GET /cookies/style.css HTTP/1.0\r\n\r\n")
	response, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode, "the check of a balancer needs no host")
}

const tooLarge = "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\ntoo large"

// An answer that comes before the end of an upload must not wait for it.
func TestAnEarlyAnswerToAnUploadArrivesAtOnce(t *testing.T) {
	hold := func(conn net.Conn) { io.WriteString(conn, tooLarge); time.Sleep(time.Minute) }
	for name, test := range map[string]struct {
		answer func(net.Conn)
		head   string
	}{
		"of known length":          {hold, "Content-Length: 100000000\r\n"},
		"of a little that stays":   {hold, "Content-Length: 1000\r\n"},
		"in chunks":                {hold, "Transfer-Encoding: chunked\r\n"},
		"and the site closes":      {func(conn net.Conn) { io.WriteString(conn, tooLarge) }, "Content-Length: 100000000\r\n"},
		"in chunks, and it closes": {func(conn net.Conn) { io.WriteString(conn, tooLarge) }, "Transfer-Encoding: chunked\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := inFront(t, rawSite(t, test.answer), options{inject: true})
			conn, from := dial(t, address)
			io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n"+test.head+"\r\n5\r\nhello\r\n") // and no more for now
			begin := time.Now()
			response, err := http.ReadResponse(from, nil)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, "413 too large", fmt.Sprint(response.StatusCode, " ", string(body)))
			assert.Less(t, time.Since(begin), 30*time.Second)
			assert.True(t, response.Close, "what the visitor still sends is no request")

			// What the visitor sends from here on is no request.
			io.WriteString(conn, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
			rest, _ := io.ReadAll(from)
			assert.Empty(t, rest)
		})
	}
}

func TestAnEarlyAnswerReachesWhoSendsOn(t *testing.T) {
	address, said := inFront(t, rawSite(t, func(conn net.Conn) { io.WriteString(conn, tooLarge) }), options{})
	for range 50 {
		conn, from := dial(t, address)
		go io.Copy(conn, io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"), io.LimitReader(zeros{}, 2<<20)))
		response, err := http.ReadResponse(from, nil)
		require.NoError(t, err, said)
		require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode, said)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, "too large", string(body))
	}
}

func TestAnUploadAndItsAnswerMayRunAtTheSameTime(t *testing.T) {
	address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Content-Type", "text/plain")
		io.Copy(flushing{w}, r.Body)
	}), options{})
	out, in := io.Pipe()
	r, err := http.NewRequest("POST", address, out)
	require.NoError(t, err)
	go in.Write([]byte("one "))
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	for _, word := range []string{"one ", "two ", "three "} {
		got := make([]byte, len(word))
		_, err := io.ReadFull(response.Body, got)
		require.NoError(t, err)
		assert.Equal(t, word, string(got))
		if word == "one " {
			in.Write([]byte("two three "))
		}
	}
	in.Close()
}

type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	defer f.ResponseWriter.(http.Flusher).Flush()
	return f.ResponseWriter.Write(p)
}

// An upload of a byte now and then ends, although each byte comes in time.
func TestAnUploadThatDripsEnds(t *testing.T) {
	ended := make(chan error, 1)
	address := serveWithin(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}), 2*time.Second)
	conn, from := dial(t, address)
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	conn.Write(bytes.Repeat([]byte("a"), 500)) // at once is no credit for later
	begin := time.Now()
	for {
		if _, err := conn.Write([]byte("a")); err != nil {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal("it goes on")
		}
		time.Sleep(500 * time.Millisecond)
	}
	assert.Error(t, <-ended)
	if response, err := http.ReadResponse(from, nil); err == nil {
		assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
	}
}

func TestASlowUploadThatGoesOnIsTaken(t *testing.T) {
	address := serveWithin(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}), 2*time.Second)
	conn, from := dial(t, address)
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n")
	for range 40 { // 1000 bytes a second, twice the time that a single piece has
		conn.Write(bytes.Repeat([]byte("a"), 100))
		time.Sleep(100 * time.Millisecond)
	}
	response, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, "4000", string(body))
}

func TestATunnelEndsIfOneSideHasEnded(t *testing.T) {
	const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	t.Run("the site ignores it", func(t *testing.T) {
		t.Parallel()
		ended := make(chan error, 1)
		address, _ := inFront(t, rawSite(t, func(conn net.Conn) {
			io.WriteString(conn, switched)
			for { // heeds no end of what comes, and goes on writing
				if _, err := conn.Write([]byte("still here")); err != nil {
					ended <- err
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}), options{})
		conn, from := dial(t, address)
		io.WriteString(conn, upgrade)
		response, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		_, err = io.Copy(io.Discard, from)
		var timeout net.Error
		assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the visitor's connection ends")
		assert.Error(t, <-ended)
	})
	t.Run("the visitor ignores it", func(t *testing.T) {
		t.Parallel()
		address, _ := inFront(t, rawSite(t, func(conn net.Conn) { io.WriteString(conn, switched+"bye") }), options{})
		conn, from := dial(t, address)
		io.WriteString(conn, upgrade)
		_, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		said, err := io.ReadAll(from)
		require.NoError(t, err)
		assert.Equal(t, "bye", string(said))
		assert.Eventually(t, func() bool {
			_, err := conn.Write([]byte("still here"))
			return err != nil
		}, 30*time.Second, 100*time.Millisecond)
	})
}
