// Package server listens to visitors, and bounds the time that each of them takes.
package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	PiecePatience    = time.Minute      // for each piece that a visitor sends or takes
	ShutdownPatience = 30 * time.Second // for answers that are under way
)

const (
	headPatience   = 10 * time.Second // for the head of a request
	idlePatience   = 2 * time.Minute  // for the next request on a connection
	maxRequestHead = 64 << 10
)

// Serve serves until the server is closed. How long a whole request or
// answer takes has no limit, since uploads, downloads and streams take what they
// take; each piece of one has.
func Serve(server *http.Server, listener net.Listener, piece time.Duration) error {
	server.Handler = withBodyPatience(server.Handler, piece)
	return server.Serve(patientListener{listener, piece})
}

// New makes a server for visitors.
func New(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxRequestHead,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

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
	return patientConn{c, l.patience}, nil
}

type patientConn struct {
	net.Conn
	patience time.Duration
}

func (c patientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// CloseWrite is for net/http, which ends a connection by it where the visitor
// may still be sending.
func (c patientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// withBodyPatience gives visitors some time for each piece of a body.
func withBodyPatience(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 || r.Body == nil {
			next.ServeHTTP(w, r)
			return
		}
		body := &patientBody{ReadCloser: r.Body, connection: http.NewResponseController(w), patience: patience}
		r.Body = body
		defer body.leave()
		next.ServeHTTP(w, r)
	})
}

// A patientBody is what a visitor sends.
type patientBody struct {
	io.ReadCloser
	connection *http.ResponseController
	patience   time.Duration
	mu         sync.Mutex
	left       bool // the handler has returned, and the deadline is the server's
}

func (b *patientBody) Read(p []byte) (int, error) {
	b.wait(time.Now().Add(b.patience))
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.wait(time.Time{}) // what comes next on the connection has its own time
	case err != nil:
		err = &VisitorError{err}
	}
	return n, err
}

func (b *patientBody) wait(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.left {
		_ = b.connection.SetReadDeadline(until) // a writer that has none needs none
	}
}

func (b *patientBody) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = true
}

// A VisitorError is one that the visitor has made, not the site.
type VisitorError struct{ error }

// Unwrap returns the error itself.
func (e *VisitorError) Unwrap() error { return e.error }

// Status is the answer that a failure deserves.
func (e *VisitorError) Status() int {
	var timeout net.Error
	if errors.As(e.error, &timeout) && timeout.Timeout() {
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}
