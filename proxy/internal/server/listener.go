package server

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A patientListener gives visitors some time to take each piece of an answer, so
// that nobody keeps a connection to the site busy by not reading.
type patientListener struct {
	net.Listener
	patience time.Duration
}

func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: c, patience: l.patience}, nil
}

type patientConn struct {
	net.Conn
	patience time.Duration
	until    atomic.Int64 // nanoseconds of Unix time after which nothing is read; 0 for none
}

func (c *patientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// SetReadDeadline keeps the deadline that endSoon has set: net/http has none for the rest
// of a body that no handler has read.
func (c *patientConn) SetReadDeadline(t time.Time) error {
	if until := c.until.Load(); until != 0 && (t.IsZero() || t.UnixNano() > until) {
		t = time.Unix(0, until)
	}
	return c.Conn.SetReadDeadline(t)
}

// endSoon bounds all reads. The zero time takes the bound away.
func (c *patientConn) endSoon(until time.Time) {
	if until.IsZero() {
		c.until.Store(0)
		return
	}
	c.until.Store(until.UnixNano())
	_ = c.Conn.SetReadDeadline(until) // a connection that has ended needs none
}

// CloseWrite is for net/http, which ends a connection by it if the visitor
// may still be sending.
func (c *patientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// connKey is under which a request's context has the connection.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	return context.WithValue(ctx, connKey{}, conn)
}

// connOf returns the connection of a request, nil if it has others too, as on HTTP/2.
func connOf(r *http.Request) *patientConn {
	if r.ProtoMajor != 1 {
		return nil
	}
	conn, _ := r.Context().Value(connKey{}).(*patientConn)
	return conn
}
