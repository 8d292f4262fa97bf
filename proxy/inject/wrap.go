package inject

import (
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"strings"
)

// Wrap returns a handler that adds the tag to the pages of next, for servers in which no
// [http.Response] passes by. It does what PrepareRequest and ModifyResponse do, with these
// differences: a page has no Content-Length, and who asks for several ranges gets
// everything. If next answers with a part of a page, next is called once more.
//
// Besides Flusher, the abilities of the writer are those that [http.ResponseController]
// finds.
func (i *Injection) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed := *r
		changed.Header = maps.Clone(r.Header)
		r = &changed
		i.PrepareRequest(r)
		if strings.Contains(r.Header.Get("Range"), ",") {
			withoutRange(r.Header)
		}
		p := &pageWriter{ResponseWriter: w, injection: i, request: r, before: w.Header().Clone()}
		defer p.abort()
		next.ServeHTTP(p, r)
		if p.isPart {
			p.isPart, p.wroteHeader = false, false
			clear(w.Header())
			maps.Copy(w.Header(), p.before)
			withoutRange(r.Header)
			next.ServeHTTP(p, r)
		}
		p.finish()
	})
}

func withoutRange(h http.Header) {
	delete(h, "Range")
	delete(h, "If-Range")
}

// A pageWriter adds the tag to what a handler writes, if that is a page.
type pageWriter struct {
	http.ResponseWriter
	injection   *Injection
	request     *http.Request
	before      http.Header // what the head was like when the handler began
	wroteHeader bool
	isPart      bool // of a page: it is dropped
	page        *coroutine
}

// Unwrap is for [http.ResponseController].
func (p *pageWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// WriteHeader sends the head, and decides what becomes of the body.
func (p *pageWriter) WriteHeader(status int) {
	if p.wroteHeader || p.isPart {
		return
	}
	if status < 200 {
		p.ResponseWriter.WriteHeader(status)
		return
	}
	p.wroteHeader = true
	h := p.Header()
	c, known := codingOf(h)
	switch {
	case status == http.StatusNotModified:
		keepWeak(p.request.Header, h)
	case status == http.StatusPartialContent && p.request.Method == http.MethodGet && len(p.request.Header["Range"]) > 0 && mayBePage(h):
		p.isPart = true
		return
	case !known || !hasPage(status) || !mayBePage(h) || h.Get("Content-Length") == "0":
	default:
		stream := h.Get("Content-Length") == ""
		markChanged(h, "")
		if p.request.Method != http.MethodHead {
			p.page = p.injection.begin(p.ResponseWriter, c, stream)
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *pageWriter) Write(b []byte) (int, error) {
	if !p.wroteHeader {
		p.WriteHeader(http.StatusOK)
	}
	switch {
	case p.isPart:
		return len(b), nil
	case p.page != nil:
		return p.page.Write(b)
	default:
		return p.ResponseWriter.Write(b)
	}
}

// Flush sends what is written.
func (p *pageWriter) Flush() { _ = p.FlushError() }

// FlushError is Flush for [http.ResponseController].
func (p *pageWriter) FlushError() error {
	if !p.wroteHeader {
		p.WriteHeader(http.StatusOK)
	}
	if p.isPart {
		return nil
	}
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// finish writes what is left of a page. If that fails the visitor must see that something
// is missing.
func (p *pageWriter) finish() {
	if p.page != nil && p.page.end() != nil {
		panic(http.ErrAbortHandler)
	}
}

func (p *pageWriter) abort() {
	if p.page != nil {
		p.page.stop()
	}
}

// A coroutine reads the page that a handler writes. One of both runs at a time: Write
// returns when everything that it was given has been read, and what can be known of it has
// been written.
type coroutine struct {
	next  func() (struct{}, bool)
	stop  func()
	data  []byte // what the handler has written
	ended bool   // the handler
	err   error  // of the copy, once it has ended
}

var errStopped = errors.New("inject: the page has not been written to its end")

// begin returns a coroutine that writes to w the page that it is given, with the tag.
func (i *Injection) begin(w io.Writer, c *coding, stream bool) *coroutine {
	p := &coroutine{err: errStopped}
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		var body io.ReadCloser = written{p, yield}
		if c != nil {
			body = i.compressed(body, c, stream)
		} else {
			body = i.inject(body, false)
		}
		defer body.Close()
		_, p.err = io.Copy(struct{ io.Writer }{w}, body)
	})
	return p
}

func (p *coroutine) Write(b []byte) (int, error) {
	p.data = b
	if _, goesOn := p.next(); !goesOn {
		if p.err == nil {
			return len(b), nil // behind the end of what is compressed
		}
		return 0, p.err
	}
	return len(b), nil
}

func (p *coroutine) end() error {
	p.ended = true
	p.next()
	return p.err
}

// A written body is what a handler writes.
type written struct {
	*coroutine
	yield func(struct{}) bool
}

func (b written) Read(p []byte) (int, error) {
	for len(b.data) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		if !b.yield(struct{}{}) {
			return 0, errStopped
		}
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func (b written) Close() error { return nil }
