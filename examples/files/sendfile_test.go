package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

// sniffed is the beginning of a body that net/http copies to look at it.
const sniffed = 512

// A *net.TCPConn has the system send what its ReadFrom is given, where that is a
// file or a part of one (net's sendfile.go). So it must be given the file itself.
func TestTheConnectionIsGivenTheFileItself(t *testing.T) {
	root, content := folder(t)
	guarded, err := newSite(root)
	require.NoError(t, err)
	bare := http.NewServeMux()
	bare.Handle("GET /files/{name...}", serveFiles(root))

	for name, site := range map[string]http.Handler{"guarded": guarded, "bare": bare} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(site)
			watched := &listener{Listener: server.Listener}
			server.Listener = watched
			server.Start()
			answer := drive.New(t, server.Client()).Get(server.URL + "/files/film.bin")
			server.Close()
			assert.True(t, content == answer.Text)
			assert.Equal(t, []string{fmt.Sprintf("%d bytes of a *os.File", len(content)-sniffed)}, watched.given)
		})
	}
}

var sent = regexp.MustCompile(`sendfile.* = (\d+)\n`)

// What the test above takes net's word for, seen from the system's side.
func TestTheSystemSendsTheFile(t *testing.T) {
	if err := exec.Command("strace", "-f", "true").Run(); err != nil {
		t.Skip("strace does not run here: ", err)
	}
	_, content := folder(t)
	log := filepath.Join(t.TempDir(), "calls")
	out, err := exec.Command("strace", "-f", "-e", "trace=sendfile", "-o", log,
		os.Args[0], "-test.run=^TestTheConnectionIsGivenTheFileItself$/^guarded$").CombinedOutput()
	require.NoError(t, err, "%s", out)
	calls, err := os.ReadFile(log)
	require.NoError(t, err)
	bytes := 0
	for _, call := range sent.FindAllSubmatch(calls, -1) {
		n, err := strconv.Atoi(string(call[1]))
		require.NoError(t, err)
		bytes += n
	}
	assert.Equal(t, len(content)-sniffed, bytes, "%s", calls)
}

// A listener notes what its connections are given to read from.
type listener struct {
	net.Listener
	mu    sync.Mutex
	given []string
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{c.(*net.TCPConn), l}, nil
}

type conn struct {
	*net.TCPConn
	listener *listener
}

func (c *conn) ReadFrom(src io.Reader) (int64, error) {
	of := src
	if part, ok := src.(*io.LimitedReader); ok {
		of = part.R
	}
	n, err := c.TCPConn.ReadFrom(src)
	if n > 0 {
		c.listener.mu.Lock()
		defer c.listener.mu.Unlock()
		c.listener.given = append(c.listener.given, fmt.Sprintf("%d bytes of a %T", n, of))
	}
	return n, err
}
