package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// minRate is how many bytes a second a visitor sends at least, in the long run. The slowest
// phones send ten times as much.
const minRate = 240

// lingering is how long the rest of a body is read that nobody wants, so that the visitor
// gets the answer and not a broken connection.
const lingering = 5 * time.Second

// withBodyPatience gives visitors some time for each piece of a body.
func withBodyPatience(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := connOf(r)
		if conn != nil {
			conn.endSoon(time.Time{}) // the one before has ended
		}
		if r.ContentLength == 0 || r.Body == nil {
			next.ServeHTTP(w, r)
			return
		}
		body := &patientBody{ReadCloser: r.Body, conn: conn, connection: http.NewResponseController(w), patience: patience, credit: patience}
		r.Body = body
		defer body.leave()
		next.ServeHTTP(w, r)
	})
}

// A patientBody is what a visitor sends. The visitor has a credit of time: waiting uses it
// up, and each byte that comes adds to it, up to what it was at first. So a pause in a
// tunnel is allowed, and a byte a minute is not. Time in which the site reads nothing does
// not count.
type patientBody struct {
	io.ReadCloser
	conn       *patientConn // nil on HTTP/2
	connection *http.ResponseController
	patience   time.Duration
	credit     time.Duration // of one reader at a time
	mu         sync.Mutex
	whole      bool
	left       bool // the handler has returned, and the deadline is the server's
}

func (b *patientBody) Read(p []byte) (int, error) {
	begin := time.Now()
	b.wait(begin.Add(b.credit))
	n, err := b.ReadCloser.Read(p)
	b.credit = min(b.patience, b.credit-time.Since(begin)+time.Duration(n)*time.Second/minRate)
	switch {
	case err == io.EOF:
		b.end()
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

// end takes the deadline away: what comes next on the connection has its own time.
func (b *patientBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole = true
	if !b.left {
		_ = b.connection.SetReadDeadline(time.Time{})
	}
}

func (b *patientBody) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = true
	if !b.whole && b.conn != nil {
		b.conn.endSoon(time.Now().Add(lingering))
	}
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
