package writer_test

import (
	"bufio"
	"context"
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type closing struct {
	net.Conn
	closed bool
}

func (c *closing) Write([]byte) (int, error) { return 0, errors.New("broken") }
func (c *closing) Close() error              { c.closed = true; return nil }

// A Hijack that fails behind one that succeeded would leave a connection that nobody closes.
func TestAConnectionIsClosedWhoseEarlierHeadsCannotBeSent(t *testing.T) {
	c := &closing{}
	rw := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	rw.WriteString("HTTP/1.1 103 Early Hints\r\n\r\n")
	w := new(guard).wrap(taken{&base{header: http.Header{}}, c, rw})
	_, _, err := w.(http.Hijacker).Hijack()
	assert.True(t, err == nil || c.closed, "error %v, closed %t", err, c.closed)
}

// hijacked returns what a handler gets of this connection.
func hijacked(t *testing.T, c net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
	t.Helper()
	w := new(guard).wrap(taken{&base{header: http.Header{}}, c, rw})
	conn, rw, err := w.(http.Hijacker).Hijack()
	require.NoError(t, err)
	return conn, rw
}

func TestNothingElseChangesInTheBufferOfAConnection(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	defer client.Close()
	read := bufio.NewReader(io.MultiReader(strings.NewReader("sent at once"), server))
	_, err := read.Peek(4)
	require.NoError(t, err)
	_, rw := hijacked(t, server, bufio.NewReadWriter(read, bufio.NewWriterSize(server, 100)))
	assert.Equal(t, 100, rw.Writer.Size())
	assert.Equal(t, len("sent at once"), rw.Reader.Buffered(), "what the client has sent behind its request")
}

type half struct{ net.Conn }

func (half) CloseWrite() error { return io.ErrNoProgress }

type secure struct{ half }

func (secure) ConnectionState() cryptotls.ConnectionState {
	return cryptotls.ConnectionState{ServerName: "example.org"}
}
func (secure) HandshakeContext(context.Context) error { return nil }
func (secure) VerifyHostname(string) error            { return nil }

func TestNothingElseChangesInWhatOtherConnectionsCanDo(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	defer client.Close()
	for name, test := range map[string]struct {
		conn         net.Conn
		half, secure bool
	}{
		"neither":               {struct{ net.Conn }{server}, false, false},
		"half of it may close":  {half{server}, true, false},
		"as a TLS connection's": {secure{half{server}}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := hijacked(t, test.conn, nil)
			c, canClose := conn.(interface{ CloseWrite() error })
			assert.Equal(t, test.half, canClose)
			if canClose {
				assert.ErrorIs(t, c.CloseWrite(), io.ErrNoProgress)
			}
			s, isSecure := conn.(interface {
				ConnectionState() cryptotls.ConnectionState
			})
			assert.Equal(t, test.secure, isSecure)
			if isSecure {
				assert.Equal(t, "example.org", s.ConnectionState().ServerName)
			}
			_, canRead := conn.(io.ReaderFrom)
			assert.False(t, canRead)
		})
	}
}

type unclosable struct{ net.Conn }

func (unclosable) Close() error { return io.ErrNoProgress }

func TestNothingElseChangesWhereAConnectionFails(t *testing.T) {
	conn, _ := hijacked(t, unclosable{}, nil)
	assert.ErrorIs(t, conn.Close(), io.ErrNoProgress)

	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := listener.Accept()
	require.NoError(t, err)
	conn, _ = hijacked(t, server, nil)
	_, err = conn.(io.ReaderFrom).ReadFrom(iotest.ErrReader(io.ErrNoProgress))
	assert.ErrorIs(t, err, io.ErrNoProgress, "of the source")
	require.NoError(t, server.Close())
	_, err = conn.(io.ReaderFrom).ReadFrom(strings.NewReader("HTTP/1.1 200 OK\r\n\r\n"))
	assert.ErrorIs(t, err, net.ErrClosed)
}

// Close is there to interrupt a Write that hangs.
func TestNothingElseChangesWhereAWriteHangs(t *testing.T) {
	server, client := net.Pipe() // from which nobody reads
	defer client.Close()
	conn, _ := hijacked(t, server, nil)
	written, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		written <- err
	}()
	time.Sleep(50 * time.Millisecond)
	go func() { closed <- conn.Close() }()
	for _, done := range []chan error{closed, written} {
		select {
		case err := <-done:
			if done == written {
				assert.ErrorIs(t, err, io.ErrClosedPipe)
			}
		case <-time.After(5 * time.Second):
			server.Close()
			t.Fatal("Close waits for a Write")
		}
	}
}

// Several goroutines may write to a connection; -race tells.
func TestNothingIsLostOfAHeadThatSeveralWrite(t *testing.T) {
	server, client := net.Pipe()
	received := make(chan string)
	go func() {
		all, _ := io.ReadAll(client)
		received <- string(all)
	}()
	conn, _ := hijacked(t, server, nil)
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { io.WriteString(conn, "Set-Cookie: leak=1\r\nA: b\r\n") })
	}
	group.Wait()
	io.WriteString(conn, "\r\n")
	require.NoError(t, conn.Close())
	assert.Equal(t, "HTTP/1.1 200 OK\r\n"+strings.Repeat("A: b\r\n", 50)+"Cache-Control: private\r\n\r\n", <-received)
}
