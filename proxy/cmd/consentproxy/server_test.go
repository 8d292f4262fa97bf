package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/backend"
)

func TestAVisitorsHeadIsBounded(t *testing.T) {
	address, _ := inFront(t, "http://127.0.0.1:1", options{})
	response, _, err := ask(t, "GET", address, "X-Filler: "+strings.Repeat("x", 10_000_000))
	if err == nil { // else the connection was closed while the rest was still being sent
		assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
	}
}

func TestABrokenBodyIsTheVisitorsMistake(t *testing.T) {
	address, said := inFront(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }), options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
	status, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 400 Bad Request\r\n", status)
	assert.NotContains(t, said.String(), "the site does not answer")
}

func TestAVisitorWhoSendsNothingMoreIsNotWaitedForForEver(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	to, err := url.Parse(newSite(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	require.NoError(t, err)
	address := serve(t, backend.New(backend.Config{Targets: []backend.Target{{URL: to}}, Log: logger}), logger, 100*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
	answer, err := io.ReadAll(conn)
	require.NoError(t, err, "the connection ends")
	if len(answer) > 0 { // nothing where net/http has given the visitor up first
		assert.Contains(t, string(answer), "408 Request Timeout")
	}
}

func TestAVisitorWhoTakesNothingMoreIsNotWaitedForForEver(t *testing.T) {
	left := make(chan error, 1)
	logger := slog.New(slog.DiscardHandler)
	to, err := url.Parse(newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, zeros{})
		left <- err
	}))
	require.NoError(t, err)
	address := serve(t, backend.New(backend.Config{Targets: []backend.Target{{URL: to}}, Log: logger}), logger, 100*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	assert.Error(t, <-left, "the site is set free")
}

func TestARequestAfterABodyHasItsOwnTime(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	again := make(chan bool)
	to, err := url.Parse(newSite(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Method == "POST" {
			<-again // longer than a piece of a body may take
		}
	}))
	require.NoError(t, err)
	address := serve(t, backend.New(backend.Config{Targets: []backend.Target{{URL: to}}, Log: logger}), logger, 500*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	reader := bufio.NewReader(conn)
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345")
	time.AfterFunc(1500*time.Millisecond, func() { again <- true })
	for range 2 {
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode)
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	}
}
