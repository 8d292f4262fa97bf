package writer

import (
	"net/http"
	"reflect"
	"time"
)

// Unwrap is how [http.ResponseController] finds deadlines and full duplex, and
// what lies below a writer that has only Unwrap itself. It never returns the
// writer that w wraps, since that one filters nothing, but a view: of one
// ability at a time, then of the writer below, filtered as w is. The last view
// has no Unwrap, as the innermost writer has none.
func (w *Writer) Unwrap() http.ResponseWriter {
	if _, ok := w.to.(readDeadliner); ok {
		return readDeadline{w}
	}
	return readDeadline{w}.Unwrap()
}

type readDeadliner interface{ SetReadDeadline(time.Time) error }

type readDeadline struct{ *Writer }

func (v readDeadline) SetReadDeadline(t time.Time) error {
	return v.to.(readDeadliner).SetReadDeadline(t)
}

func (v readDeadline) Unwrap() http.ResponseWriter {
	if _, ok := v.to.(writeDeadliner); ok {
		return writeDeadline(v)
	}
	return writeDeadline(v).Unwrap()
}

type writeDeadliner interface{ SetWriteDeadline(time.Time) error }

type writeDeadline struct{ *Writer }

func (v writeDeadline) SetWriteDeadline(t time.Time) error {
	return v.to.(writeDeadliner).SetWriteDeadline(t)
}

func (v writeDeadline) Unwrap() http.ResponseWriter {
	if _, ok := v.to.(fullDuplexer); ok {
		return fullDuplex(v)
	}
	return fullDuplex(v).Unwrap()
}

type fullDuplexer interface{ EnableFullDuplex() error }

type fullDuplex struct{ *Writer }

func (v fullDuplex) EnableFullDuplex() error {
	return v.to.(fullDuplexer).EnableFullDuplex()
}

func (v fullDuplex) Unwrap() http.ResponseWriter {
	if below, ok := v.to.(interface{ Unwrap() http.ResponseWriter }); ok {
		if to := below.Unwrap(); to != nil {
			return expose(v.seen(to), abilities(to))
		}
	}
	return innermost{v}
}

// seen returns the view of to, the writer below that of w. There is one, so that
// what a handler sets in its map is there again, and is filtered when the handler
// has returned.
func (w *Writer) seen(to http.ResponseWriter) *Writer {
	if v := w.view.Load(); v != nil {
		return v
	}
	v := &Writer{to: to, filter: w.filter, outer: w}
	v.stand(kindOf(to))
	if !same(to.Header(), w.to.Header()) {
		v.part()
	}
	w.view.CompareAndSwap(nil, v)
	return w.view.Load()
}

// innermost is a view with the three methods that every writer has.
type innermost struct{ w http.ResponseWriter }

func (v innermost) Header() http.Header         { return v.w.Header() }
func (v innermost) Write(p []byte) (int, error) { return v.w.Write(p) }
func (v innermost) WriteHeader(status int)      { v.w.WriteHeader(status) }

// Bypasses reports whether given, or a writer below it, is the one that w wraps, so
// that what is written there is not filtered. It looks no further than at the first
// writer of this package.
func Bypasses(w *Writer, given http.ResponseWriter) bool {
	for given != nil && beneath(given) == nil && !opensSession(w.filter.Came()) {
		if t := reflect.TypeOf(given); t == reflect.TypeOf(w.to) && t.Comparable() && given == w.to {
			return true
		}
		below, ok := given.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		given = below.Unwrap()
	}
	return false
}
