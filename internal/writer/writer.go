// Package writer wraps an [http.ResponseWriter] so that no head leaves it
// unfiltered, whatever road the handler takes, and so that the handler can do
// with it what it could do without.
package writer

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"reflect"

	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/rawhead"
)

// A Writer stands between one handler and the server's writer. The zero Writer
// is made ready by [Wrap]; it lives in a struct of the caller's, so that it
// takes no allocation. It is as safe for concurrent use as the server's writer.
type Writer struct {
	to          http.ResponseWriter
	filter      *filter.Filter
	outer       *Writer // if this one is a view of a writer below (see Unwrap): what it was seen through
	wroteHeader bool    // a call has gone through that sends the head; a writer below may still hold it back
	committed   bool    // the final head has left for certain, so that no change of the map reaches it
	hijacked    bool
}

// Wrap returns the writer to hand to the handler in place of to. It has the
// optional methods that to has, and no others.
func Wrap(w *Writer, to http.ResponseWriter, f *filter.Filter) http.ResponseWriter {
	w.to, w.filter = to, f
	return expose(w)
}

// Finish is called when the handler has returned or panicked: the server, or a
// handler outside that recovers, may then send a head, or a trailer.
func Finish(w *Writer) {
	if w.hijacked {
		w.filter.End() // the server sends nothing any more
		return
	}
	if !reachable(w.to) {
		return
	}
	h := w.to.Header()
	if w.committed || w.filter.Head(h, true) {
		w.filter.Trailer(h)
	}
}

// reachable reports whether w still has a header map. That of HTTP/2 panics
// if its own handler has returned before this one: nothing can leave then.
func reachable(w http.ResponseWriter) (ok bool) {
	defer func() { ok = recover() == nil }()
	w.Header()
	return
}

// Header returns the map that the head is made from.
func (w *Writer) Header() http.Header { return w.to.Header() }

// WriteHeader sends a head, filtered.
func (w *Writer) WriteHeader(status int) {
	if rawhead.Informational(status) {
		w.writeInformational(status)
		return
	}
	w.beforeHead()
	w.to.WriteHeader(status) // panics for a number that is no status, and then nothing has left
	// After a 101 comes another head on HTTP/2, and none on HTTP/1.
	w.afterHead(status != http.StatusSwitchingProtocols)
}

// writeInformational sends a head before the final one, and gives the map back
// as it was: what may not pass now may pass later, after a Save.
func (w *Writer) writeInformational(status int) {
	h := w.to.Header()
	given := maps.Clone(h)
	defer func() {
		clear(h)
		maps.Copy(h, given)
	}()
	w.filter.Head(h, false)
	w.to.WriteHeader(status)
}

// Write sends a part of the body, and the filtered head before it.
func (w *Writer) Write(p []byte) (int, error) {
	w.beforeHead()
	defer w.afterHead(true)
	return w.to.Write(p)
}

// beforeHead filters the head. It comes before each call that may send one. That
// is every call, and not the first alone, if a writer below holds the head back,
// as that of http.TimeoutHandler does until the handler returns.
func (w *Writer) beforeHead() {
	if w.committed {
		return // the map may hold trailers now, and another goroutine may be writing them
	}
	outer := w.outer
	if outer == nil || !same(w.to.Header(), outer.to.Header()) {
		w.filter.Head(w.to.Header(), true)
	}
	if outer != nil {
		outer.beforeHead()
	}
}

// afterHead notes that a call has gone through that sends a head. The head is
// committed if it was the final one and the writer below is known to hold none
// back: net/http's own, or one of ours that has committed.
func (w *Writer) afterHead(final bool) {
	for v := w; v != nil && !v.committed; v = v.outer {
		v.wroteHeader = true
		below := beneath(w.to)
		v.committed = final && (isServers(w.to) || below != nil && below.committed)
	}
}

// sentHead reports whether some head has left for certain, be it not the final
// one.
func (w *Writer) sentHead() bool {
	below := beneath(w.to)
	return w.committed || w.wroteHeader && isServers(w.to) || below != nil && below.sentHead()
}

// beneath returns the Writer that to is, if a handler is wrapped twice; else nil.
func beneath(to http.ResponseWriter) *Writer {
	if w, ok := to.(interface{ self() *Writer }); ok {
		return w.self()
	}
	return nil
}

func (w *Writer) self() *Writer { return w }

// isServers reports whether w is net/http's own writer, which copies the header
// map when a handler sends the head, and looks at it no more but for trailers.
// A handler may then change it while it writes.
func isServers(w http.ResponseWriter) bool {
	t := reflect.TypeOf(w)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "net/http" {
		return false
	}
	switch t.Name() {
	case "response", // of HTTP/1
		"http2responseWriter", // of HTTP/2, to Go 1.26
		"http2ResponseWriter": // of HTTP/2, from Go 1.27
		return true
	}
	return false
}

// same reports whether a and b are one map, which a writer and the one that it
// wraps usually share.
func same(a, b http.Header) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// The methods below are the roads that only some writers have. They are called
// only if expose has found that w.to has them.

func (w *Writer) flush() {
	w.beforeHead()
	w.to.(http.Flusher).Flush()
	w.afterHead(true)
}

func (w *Writer) flushError() error {
	w.beforeHead()
	err := w.to.(flushErrorer).FlushError()
	w.afterHead(true)
	return err
}

func (w *Writer) writeString(s string) (int, error) {
	w.beforeHead()
	defer w.afterHead(true)
	return w.to.(io.StringWriter).WriteString(s)
}

// sniffed is how much of a body net/http looks at for its content type, and so
// how much it reads before it sends a head by itself.
const sniffed = 512

// readFrom lets the server's writer read from src itself, which is how a file
// is sent without a copy. Until something has been read no head may leave: to
// read src may still change the header map, and an empty src sends no head. The
// server's writer then gets the first piece together with what is missing of the
// bytes that it looks at for the content type, so that it waits for neither more
// nor less than it would by itself; and src after that.
func (w *Writer) readFrom(src io.Reader) (n int64, err error) {
	to := w.to.(io.ReaderFrom)
	if !w.wroteHeader {
		piece, err := firstPiece(src)
		if len(piece) == 0 {
			return 0, err
		}
		w.beforeHead()
		beginning := io.MultiReader(bytes.NewReader(piece), w.watched(src))
		if err != nil {
			beginning = io.MultiReader(bytes.NewReader(piece), failing{err})
		}
		n, err = to.ReadFrom(io.LimitReader(beginning, sniffed))
		w.afterHead(true)
		if err != nil || n < sniffed {
			return n, err
		}
	}
	w.beforeHead()
	rest, err := to.ReadFrom(w.watched(src))
	return n + rest, err
}

// watched returns src so that the head is filtered again after each Read of it,
// which may change the map while a writer below holds the head back. A file changes
// nothing, and the server sends it faster if it can see that it is one.
func (w *Writer) watched(src io.Reader) io.Reader {
	source := src
	if limited, ok := src.(*io.LimitedReader); ok {
		source = limited.R
	}
	if _, isFile := source.(*os.File); isFile || isServers(w.to) {
		return src
	}
	return watched{src, w}
}

type watched struct {
	io.Reader
	w *Writer
}

func (r watched) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.w.beforeHead()
	return n, err
}

// firstPiece returns what the first Read gives that has something; nothing at the
// end of src.
func firstPiece(src io.Reader) (piece []byte, err error) {
	piece = make([]byte, sniffed)
	for {
		n, err := src.Read(piece)
		switch {
		case n > 0 && err != io.EOF:
			return piece[:n], err
		case err == io.EOF:
			return piece[:n], nil
		case err != nil:
			return nil, err
		}
	}
}

// A failing reader is what a src that failed once is from then on.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// hijack hands the connection to the handler. If no head has left for certain, the
// handler may be about to write one by itself, and that head is filtered on its way.
func (w *Writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.filter.CheckHijack(); err != nil {
		return nil, nil, err
	}
	c, rw, err := w.to.(http.Hijacker).Hijack()
	if err != nil {
		return c, rw, err
	}
	headSent := false
	for v := w; v != nil; v = v.outer {
		headSent = headSent || v.sentHead()
		v.hijacked = true
	}
	if headSent { // what follows is no head: a tunnel's bytes, or the rest of a body
		return c, rw, nil
	}
	guarded := guard(c, w.filter)
	if rw == nil {
		return guarded, nil, nil
	}
	// An early head, such as 100, may wait in the buffer. The connection reports an
	// error of Flush again at the next Write.
	_ = rw.Flush()
	return guarded, bufio.NewReadWriter(rw.Reader, bufio.NewWriterSize(guarded, rw.Writer.Size())), nil
}

func (w *Writer) push(target string, options *http.PushOptions) error {
	return w.to.(http.Pusher).Push(target, options)
}

func (w *Writer) closeNotify() <-chan bool {
	return w.to.(closeNotifier).CloseNotify()
}

type (
	flushErrorer interface{ FlushError() error }

	// closeNotifier is http.CloseNotifier. It is deprecated for callers; a writer
	// that has it keeps it.
	closeNotifier interface{ CloseNotify() <-chan bool }
)
