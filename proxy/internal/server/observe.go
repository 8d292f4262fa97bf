package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// observe tells of each request when it has ended.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		if s.config.Begun != nil {
			s.config.Begun()
		}
		seen := &record{}
		defer func() { // after a panic too
			ended := Seen{Request: r, Status: seen.status, Bytes: seen.bytes, Time: time.Since(begin)}
			if s.config.Seen != nil {
				s.config.Seen(ended)
			}
			s.logAccess(ended)
		}()
		next.ServeHTTP(seen.writer(w, s.config.Limits.Piece), r)
		if seen.status == 0 {
			seen.status = http.StatusOK // as net/http does it
		}
	})
}

// A record is what becomes of one request.
type record struct {
	status int
	bytes  int64
}

func (c *record) head(status int) {
	if c.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		c.status = status
	}
}

func (c *record) body(n int64) {
	c.head(http.StatusOK)
	c.bytes += n
}

// writer returns a writer that can do what net/http's can, no more and no less: the filter
// inside looks for it. A writer by HTTP/1 is one that can be hijacked.
func (c *record) writer(w http.ResponseWriter, patience time.Duration) http.ResponseWriter {
	if one, ok := w.(http1Server); ok {
		return &http1Writer{one, c}
	}
	if two, ok := w.(http2Server); ok {
		return &http2Writer{http2Server: two, record: c, patience: patience}
	}
	return w // of no server of net/http
}

type server interface {
	http.ResponseWriter
	http.Flusher
	FlushError() error
	io.StringWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	EnableFullDuplex() error
}

type http1Server interface {
	server
	http.Hijacker
	io.ReaderFrom
}

type http2Server interface {
	server
	http.Pusher
}

type http1Writer struct {
	http1Server
	*record
}

func (w *http1Writer) WriteHeader(status int) {
	w.head(status)
	w.http1Server.WriteHeader(status)
}

func (w *http1Writer) Write(p []byte) (int, error) {
	n, err := w.http1Server.Write(p)
	w.body(int64(n))
	return n, err
}

func (w *http1Writer) WriteString(s string) (int, error) {
	n, err := w.http1Server.WriteString(s)
	w.body(int64(n))
	return n, err
}

func (w *http1Writer) ReadFrom(from io.Reader) (int64, error) {
	n, err := w.http1Server.ReadFrom(from)
	w.body(n)
	return n, err
}

func (w *http1Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.http1Server.Hijack()
	if err == nil {
		w.head(http.StatusSwitchingProtocols)
	}
	return conn, buffered, err
}

// An http2Writer bounds the time of each piece too: on HTTP/2 a visitor can take nothing of
// one stream while the connection goes on.
type http2Writer struct {
	http2Server
	*record
	patience time.Duration
	extended time.Time
}

func (w *http2Writer) WriteHeader(status int) {
	w.head(status)
	w.http2Server.WriteHeader(status)
}

func (w *http2Writer) Write(p []byte) (int, error) {
	w.extend()
	n, err := w.http2Server.Write(p)
	w.body(int64(n))
	return n, err
}

func (w *http2Writer) WriteString(s string) (int, error) {
	w.extend()
	n, err := w.http2Server.WriteString(s)
	w.body(int64(n))
	return n, err
}

// extend moves the deadline, but not for each of many pieces.
func (w *http2Writer) extend() {
	if now := time.Now(); now.Sub(w.extended) > w.patience/4 {
		w.extended = now
		_ = w.SetWriteDeadline(now.Add(w.patience)) // a stream that has ended has none
	}
}
