package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A site that breaks is the proxy's to bear, and to tell apart from a good one.
func TestASiteThatBreaksIsA502OrAnAbortAndTheProxyStands(t *testing.T) {
	gzipped := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, s)
		z.Close()
		return b.String()
	}
	page := "<!doctype html><html><head><title>t</title>" + strings.Repeat("<p>text", 5000)
	huge := strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 10_000)
	const aborted = -1
	for _, test := range []struct {
		name, answer string
		status       int
		says         string
	}{
		{"closes without an answer", "", 502, "without an answer"},
		{"head that is none", "SSH-2.0-OpenSSH secret\r\n\r\n", 502, "no valid head"},
		{"head with a broken line", "HTTP/1.1 200 OK\r\nSet-Cookie sessionid=secret\r\n\r\nbody", 502, "no valid head"},
		{"head with a status that is none", "HTTP/1.1 2xx secret\r\n\r\n", 502, "no valid head"},
		{"head with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\nSet-Cookie: a=secret\r\n\r\nxx", 502, "no valid head"},
		{"head cut in the middle", "HTTP/1.1 200 OK\r\nSet-Coo", 502, "no valid head"},
		{"10 MB of headers", "HTTP/1.1 200 OK\r\n" + huge + "\r\n", 502, "more than"},
		{"dies within a known length", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999\r\n\r\n" + page, aborted, "unexpected EOF"},
		{"dies within a chunk", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n<html><head>", aborted, "unexpected EOF"},
		{"broken chunk", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n<html><head>", aborted, "invalid byte"},
		{"broken gzip", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n<html><head><title>t</title></", aborted, "gzip"},
		{"gzip cut", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzipped(page)[:120], aborted, "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broken := true
			var mu sync.Mutex
			address, said := inFront(t, rawSite(t, func(conn net.Conn) {
				mu.Lock()
				defer mu.Unlock()
				if broken {
					io.WriteString(conn, test.answer)
				} else {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwell")
				}
			}), options{inject: true})
			response, body, err := ask(t, "GET", address)
			if test.status == aborted {
				assert.Error(t, err, "the visitor can tell that something is missing")
			} else {
				require.NoError(t, err)
				assert.Equal(t, test.status, response.StatusCode)
				assert.Equal(t, "502 Bad Gateway\n", body)
				assert.Empty(t, response.Header["Set-Cookie"])
			}
			assert.Contains(t, said.String(), test.says)
			assert.NotContains(t, said.String(), "secret")
			assert.Less(t, len(said.String()), 1000)

			mu.Lock()
			broken = false
			mu.Unlock()
			_, body, err = ask(t, "GET", address)
			require.NoError(t, err)
			assert.Equal(t, "well", body)
		})
	}
}

func TestASiteThatIsNotThereIsA502(t *testing.T) {
	address, said := inFront(t, "http://127.0.0.1:1", options{})
	response, body, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
	assert.NotContains(t, body, "127.0.0.1")
	assert.Contains(t, said.String(), "connection refused")
	response, _, err = ask(t, "GET", address+charterPath)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode, "the charter does not need the site")
}

func TestASetCookieOf100KBPassesOrGoesAsAnyOther(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	address, said := inFront(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "_ga="+long)
		w.Header().Add("Set-Cookie", "sessionid="+long)
	}), options{})
	response, _, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, []string{"sessionid=" + long}, response.Header["Set-Cookie"])
	assert.NotContains(t, said.String(), "xxx")
}
