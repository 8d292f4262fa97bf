package backend

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// An answer is the writer for one request. It keeps net/http from adding a Content-Type,
// sends at once what a site answers before the visitor has sent everything, and ends a
// tunnel of which one side has ended.
type answer struct {
	http.ResponseWriter
	upload *upload // nil for a request without a body
	http1  bool
	cancel context.CancelFunc // ends a tunnel; nil if none is asked for
}

// prepare returns the request for the site. The function must be called at its end.
func (a *answer) prepare(r *http.Request) (*http.Request, func()) {
	leave := func() {}
	a.http1 = r.ProtoMajor == 1
	if isWebsocket(r) {
		var ctx context.Context
		ctx, a.cancel = context.WithCancel(r.Context())
		r, leave = r.WithContext(ctx), a.cancel
	}
	if r.Body != nil && r.ContentLength != 0 {
		if a.http1 {
			// Else net/http waits for more of the body before it sends a head. A writer
			// that cannot do this does not wait.
			_ = http.NewResponseController(a.ResponseWriter).EnableFullDuplex()
		}
		a.upload = &upload{ReadCloser: r.Body}
		changed := *r
		changed.Body = a.upload
		r = &changed
	}
	return r, leave
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader sends a head.
func (a *answer) WriteHeader(status int) {
	if status < 200 {
		a.ResponseWriter.WriteHeader(status)
		return
	}
	h := a.Header()
	if len(h["Content-Type"]) == 0 {
		h["Content-Type"] = nil // net/http would guess one, also for "nosniff"
	}
	early := a.upload.isUnderWay()
	if early && a.http1 {
		// What the visitor still sends must not be read as the next request.
		h.Set("Connection", "close")
	}
	a.ResponseWriter.WriteHeader(status)
	if early {
		a.flush()
	}
}

func (a *answer) Write(p []byte) (int, error) {
	n, err := a.ResponseWriter.Write(p)
	if err == nil && a.upload.isUnderWay() {
		a.flush()
	}
	return n, err
}

func (a *answer) flush() {
	_ = http.NewResponseController(a.ResponseWriter).Flush() // if the visitor has left, the next Write fails
}

// Hijack is for the tunnel of a websocket.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil || a.cancel == nil {
		return conn, buffered, err
	}
	return &tunnel{Conn: conn, cancel: a.cancel}, buffered, nil
}

// An upload is the body of a request.
type upload struct {
	io.ReadCloser
	whole atomic.Bool
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err == io.EOF {
		u.whole.Store(true)
	}
	return n, err
}

func (u *upload) isUnderWay() bool { return u != nil && !u.whole.Load() }
