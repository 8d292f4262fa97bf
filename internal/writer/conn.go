package writer

import (
	"context"
	cryptotls "crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/rawhead"
)

// A conn filters the head that is written to it. Several goroutines may call its
// methods, as those of any connection.
type conn struct {
	net.Conn
	filter  *filter.Filter
	through atomic.Bool // the head has passed, or what was written is none
	mu      sync.Mutex  // guards head
	head    *rawhead.Writer
}

// guard returns c with a filter in front of it, and with those methods of c that
// do not write past the filter. SyscallConn, for one, would.
func guard(c net.Conn, f *filter.Filter) net.Conn {
	g := &conn{Conn: c, filter: f, head: rawhead.NewWriter(c, f.Fields, f.AsksForUpgrade())}
	switch c := c.(type) {
	case tcp:
		return guardedTCP{g, readFrom{g}, closeWrite{g}, c}
	case tls:
		return guardedTLS{g, closeWrite{g}, c}
	case closeWriter:
		return guardedHalf{g, closeWrite{g}}
	default:
		return g
	}
}

type (
	guardedTCP struct {
		*conn
		readFrom
		closeWrite
		tcpOptions
	}
	guardedTLS struct {
		*conn
		closeWrite
		tlsState
	}
	guardedHalf struct {
		*conn
		closeWrite
	}
)

// tcp is a *net.TCPConn, or what does as much.
type tcp interface {
	tcpOptions
	io.ReaderFrom
	closeWriter
}

// tcpOptions are what a TCP connection can do that writes nothing.
type tcpOptions interface {
	io.WriterTo
	CloseRead() error
	SetKeepAlive(bool) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
	SetKeepAlivePeriod(time.Duration) error
	SetLinger(int) error
	SetNoDelay(bool) error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

// tls is a *tls.Conn, or what does as much.
type tls interface {
	tlsState
	closeWriter
}

type tlsState interface {
	ConnectionState() cryptotls.ConnectionState
	HandshakeContext(context.Context) error
	VerifyHostname(string) error
}

func (c *conn) Write(p []byte) (int, error) {
	if c.through.Load() {
		return c.Conn.Write(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.head.Write(p)
	if c.head.Done() {
		c.filter.End() // if there was a head, it has ended the time for decisions by itself
		c.through.Store(true)
	}
	return n, err
}

func (c *conn) Close() (err error) {
	defer func() { err = c.Conn.Close() }() // whatever becomes of the head
	c.end()
	return nil
}

// end sends what is held of an unfinished head. It does not wait for a Write
// that hangs: Close is there to interrupt it.
func (c *conn) end() {
	if !c.through.Load() && c.mu.TryLock() {
		defer c.mu.Unlock()
		// An error here is one of the connection, and Close or the next Write
		// reports those.
		_ = c.head.Flush()
		c.through.Store(c.head.Done())
	}
}

type readFrom struct{ c *conn }

// ReadFrom lets the connection read from src itself once the head has passed.
func (v readFrom) ReadFrom(src io.Reader) (n int64, err error) {
	buffer := make([]byte, 4<<10)
	for !v.c.through.Load() {
		got, err := src.Read(buffer)
		if got > 0 {
			if _, err := v.c.Write(buffer[:got]); err != nil {
				return n, err
			}
			n += int64(got)
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	rest, err := v.c.Conn.(io.ReaderFrom).ReadFrom(src)
	return n + rest, err
}

type closeWriter interface{ CloseWrite() error }

type closeWrite struct{ c *conn }

func (v closeWrite) CloseWrite() error {
	v.c.end()
	return v.c.Conn.(closeWriter).CloseWrite()
}
