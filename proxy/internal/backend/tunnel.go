package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// farewell is how long one side of a tunnel may go on when the other one has ended. Who
// ends a websocket has sent and got a close frame, so that nothing comes after it (RFC
// 6455 section 7.1.1).
const farewell = 10 * time.Second

// A tunnel is the connection to a visitor with a websocket. If one side ends and the other
// does not, it ends the tunnel.
type tunnel struct {
	net.Conn
	cancel context.CancelFunc // closes the connection to the site
	mu     sync.Mutex
	end    *time.Timer // nil while both sides go on
	closed bool
}

// Read reads what the visitor sends.
func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if err == io.EOF {
		t.endSoon()
	}
	return n, err
}

// CloseWrite tells the visitor that the site has ended.
func (t *tunnel) CloseWrite() error {
	t.endSoon()
	half, ok := t.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported // ends the tunnel
	}
	return half.CloseWrite()
}

// Close ends the tunnel.
func (t *tunnel) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.end != nil {
		t.end.Stop()
	}
	return t.Conn.Close()
}

func (t *tunnel) endSoon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end != nil || t.closed {
		return
	}
	t.end = time.AfterFunc(farewell, func() {
		t.cancel()
		_ = t.Conn.Close() // it is given up
	})
}
