// Package writer wraps an [http.ResponseWriter] so that no head leaves it
// unfiltered, whatever road the handler takes, and so that the handler can do
// with it what it could do without.
package writer

import (
	"io"
	"net/http"
	"reflect"

	"github.com/cookiecharter/consent/internal/rawhead"
)

// A Filter edits what a handler sends before it leaves.
type Filter interface {
	// FilterHead is called before a head may leave, with the map that it is
	// made from. An informational head (1xx, but for 101) is not final.
	FilterHead(h http.Header, final bool)

	// FilterTrailer is called after the handler, with the map that a trailer is
	// made from.
	FilterTrailer(h http.Header)

	// FilterFields edits a head that the handler writes by itself to a
	// hijacked connection.
	FilterFields(status int, fields []rawhead.Field) []rawhead.Field
}

// A Writer stands between one handler and the server's writer. The zero Writer
// is made ready by [Wrap]; it lives in a struct of the caller's, so that it
// takes no allocation. It is as safe for concurrent use as the server's writer.
type Writer struct {
	to       http.ResponseWriter
	filter   Filter
	outer    *Writer // the Writer whose to this one's to was unwrapped from; nil for the outermost
	sent     bool    // the head has left, or may have
	hijacked bool
}

// Wrap returns the writer to hand to the handler in place of to. It has the
// optional methods that to has, and no others.
func Wrap(w *Writer, to http.ResponseWriter, filter Filter) http.ResponseWriter {
	w.to, w.filter = to, filter
	return expose(w)
}

// Finish is called when the handler has returned or panicked: the server, or a
// handler outside that recovers, may then send a head, or a trailer.
func Finish(w *Writer) {
	if w.hijacked {
		return
	}
	w.beforeHead()
	w.filter.FilterTrailer(w.to.Header())
}

// Header returns the map that the head is made from.
func (w *Writer) Header() http.Header { return w.to.Header() }

// WriteHeader sends a head, filtered.
func (w *Writer) WriteHeader(status int) {
	if rawhead.Informational(status) {
		w.filter.FilterHead(w.to.Header(), false)
	} else {
		w.beforeHead()
	}
	w.to.WriteHeader(status)
}

// Write sends a part of the body, and the filtered head before it.
func (w *Writer) Write(p []byte) (int, error) {
	w.beforeHead()
	return w.to.Write(p)
}

// beforeHead filters the head where it has not left yet. It comes before each
// call that may send it.
func (w *Writer) beforeHead() {
	if w.sent {
		return
	}
	w.sent = true
	outer := w.outer
	if outer == nil || !same(w.to.Header(), outer.to.Header()) {
		w.filter.FilterHead(w.to.Header(), true)
	}
	if outer != nil {
		outer.beforeHead()
	}
}

// same reports whether a and b are one map, which a writer and the one that it
// wraps usually share.
func same(a, b http.Header) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// What follows are the roads that only some writers have. They are called
// where expose has found that w.to has them.

func (w *Writer) flush() {
	w.beforeHead()
	w.to.(http.Flusher).Flush()
}

func (w *Writer) flushError() error {
	w.beforeHead()
	return w.to.(flushErrorer).FlushError()
}

func (w *Writer) writeString(s string) (int, error) {
	w.beforeHead()
	return w.to.(io.StringWriter).WriteString(s)
}

// sniffed is how much of a body net/http looks at for its content type, and so
// how much it reads before it sends a head by itself.
const sniffed = 512

// readFrom lets the server's writer read from src itself, which is how a file
// is sent without being copied. Where the head has not left, the beginning goes
// through Write: reading src may still change the header map, and an empty src
// sends no head.
func (w *Writer) readFrom(src io.Reader) (n int64, err error) {
	if !w.sent {
		n, err = io.Copy(struct{ io.Writer }{w}, io.LimitReader(src, sniffed))
		if err != nil || n < sniffed {
			return n, err
		}
	}
	rest, err := w.to.(io.ReaderFrom).ReadFrom(src)
	return n + rest, err
}

func (w *Writer) push(target string, options *http.PushOptions) error {
	return w.to.(http.Pusher).Push(target, options)
}

func (w *Writer) closeNotify() <-chan bool {
	return w.to.(closeNotifier).CloseNotify()
}

type (
	flushErrorer interface{ FlushError() error }

	// closeNotifier is http.CloseNotifier, which is deprecated for those who
	// call it; a writer that has it keeps it.
	closeNotifier interface{ CloseNotify() <-chan bool }
)
