package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"time"
)

// A siteConn is a connection to a site. The site has some time to take each piece of a
// request. If it has closed the connection during an upload, what is still written to it is
// dropped: what counts is its answer, which net/http does not read after a failed write,
// and if there is none, the next read says so.
type siteConn struct {
	*net.TCPConn
	patience  time.Duration
	uploading atomic.Bool
	closed    atomic.Bool // by the site
}

func dialer(dial, piece time.Duration) func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: dial}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			return &siteConn{TCPConn: tcp, patience: piece}, nil
		}
		return conn, nil
	}
}

func (c *siteConn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return len(p), nil
	}
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	n, err := c.TCPConn.Write(p)
	if err != nil && c.uploading.Load() && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		c.closed.Store(true)
		return len(p), nil
	}
	return n, err
}

// ReadFrom is Write for the rest of what from has.
func (c *siteConn) ReadFrom(from io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, from)
}

// markUpload tells the connection that a request with a body gets, for as long as it has
// it.
func markUpload(r *http.Request) *http.Request {
	var conn *siteConn
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if conn = siteConnOf(info.Conn); conn != nil {
				conn.uploading.Store(true)
			}
		},
		PutIdleConn: func(error) {
			if conn != nil {
				conn.uploading.Store(false)
			}
		},
	}))
}

func siteConnOf(conn net.Conn) *siteConn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	c, _ := conn.(*siteConn)
	return c
}
