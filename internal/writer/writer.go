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
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/rawhead"
)

// A Writer stands between one handler and the server's writer. The zero Writer
// is made ready by [Wrap]; it lives in a struct of the caller's, so that it
// takes no allocation. It is as safe for concurrent use as the server's writer.
//
// A head is made from a map, and the writer below may look at its map at any time.
// If it is known to copy the map when the head is sent, the handler shares it. Else
// the handler gets a copy, which is handed down, filtered, when a head may leave for
// the first time, and once more when the handler has returned: between the two a
// writer below may read its map while the handler sets a trailer in its own.
type Writer struct {
	to       http.ResponseWriter
	filter   *filter.Filter
	outer    *Writer                // if this one is a view of a writer below (see Unwrap): what it was seen through
	view     atomic.Pointer[Writer] // the view that was seen through this one
	commits  bool                   // to copies its map when the final head is sent
	isHTTP1  bool                   // to is net/http's writer for HTTP/1
	hijacked bool
	settled  atomic.Bool // a call that sends the final head has gone through, or is about to; to may hold that head back

	apart *apart // nil if the handler shares the map of a writer that commits
}

// apart is what it takes to stand before a writer that may look at its map at any time.
// A request to one that is known needs no room for it.
type apart struct {
	mu     sync.Mutex  // orders who settles, since several goroutines may write to a writer that lets them
	own    http.Header // the handler's map; nil if it shares that of the writer below, or of outer
	handed []field     // what own was when it was handed down; first what the writer below had
}

// A field is a key of a map with its values. A slice of them in place of a map takes a
// response in a writer that nobody knows from 1,240 to 880 ns (dev/bench, "no cookie, in a
// writer of others").
type field struct {
	key    string
	values []string
}

// own returns the handler's map; nil if it has none of its own.
func (w *Writer) own() http.Header {
	if w.apart == nil {
		return nil
	}
	return w.apart.own
}

// Wrap returns the writer to hand to the handler in place of to. It has the
// optional methods that to has, and no others.
func Wrap(w *Writer, to http.ResponseWriter, f *filter.Filter, kinds *Kinds) http.ResponseWriter {
	w.to, w.filter = to, f
	if opensSession(f.Came()) {
		return w.release()
	}
	kind := kinds.of(to)
	if w.stand(kind); !w.commits && !kind.ours && reachable(to) {
		w.part()
	}
	return expose(w, kind.has)
}

// stand takes over what is known of the writer below.
func (w *Writer) stand(k *kind) {
	w.commits, w.isHTTP1 = k.commits, k.isHTTP1
	if k.ours {
		w.commits = beneath(w.to).commits // it looks at its map when this one does, or later on the same goroutine
	}
	if !w.commits {
		w.apart = new(apart)
	}
}

// part gives the handler a map of its own.
func (w *Writer) part() {
	if w.apart == nil {
		w.apart = new(apart)
	}
	h := w.to.Header()
	for key, values := range h {
		w.apart.handed = append(w.apart.handed, field{key, values})
	}
	if w.apart.own = h.Clone(); h == nil {
		w.apart.own = http.Header{}
	}
}

// Finish is called when the handler has returned or panicked: the server, or a
// handler outside that recovers, may then send a head, or a trailer.
func Finish(w *Writer) {
	if w.hijacked {
		w.filter.End() // the server sends nothing any more
		return
	}
	for v := w; v != nil; v = v.view.Load() {
		if v.sharesWithOuter() || !reachable(v.to) {
			continue
		}
		h := v.to.Header()
		v.handDown(h)
		if v.committed() || v.filter.Head(h, true) {
			v.filter.Trailer(h)
		}
	}
}

// committed reports whether the final head has left for certain.
func (w *Writer) committed() bool {
	for v := w; v != nil; v = v.view.Load() {
		if v.commits && v.settled.Load() {
			return true
		}
	}
	return false
}

// reachable reports whether w still has a header map. That of HTTP/2 panics
// if its own handler has returned before this one: nothing can leave then.
func reachable(w http.ResponseWriter) (ok bool) {
	defer func() { ok = recover() == nil }()
	w.Header()
	return
}

// Header returns the map that the head is made from.
func (w *Writer) Header() http.Header {
	switch {
	case w.own() != nil:
		return w.own()
	case w.sharesWithOuter():
		return w.outer.Header()
	default:
		return w.to.Header()
	}
}

func (w *Writer) sharesWithOuter() bool { return w.outer != nil && w.own() == nil }

// WriteHeader sends a head, filtered.
func (w *Writer) WriteHeader(status int) {
	switch {
	case w.isHTTP1 && (w.hijacked || w.settled.Load()):
		w.logSuperfluous()
		return
	case rawhead.Informational(status):
		w.writeInformational(status)
		return
	}
	// After a 101 comes another head on HTTP/2, and none on HTTP/1. A number that is
	// no status makes the writer below panic, and then nothing has left.
	final := status != http.StatusSwitchingProtocols || w.isHTTP1
	w.beforeHead(final && 100 <= status && status <= 999)
	w.to.WriteHeader(status)
}

// writeInformational sends a head before the final one, and gives the map back
// as it was: what may not pass now may pass later, after a Save.
func (w *Writer) writeInformational(status int) {
	if w.apart != nil {
		w.apart.mu.Lock()
		defer w.apart.mu.Unlock()
	}
	if w.settled.Load() { // the writer below ignores it, or has filtered fields alone
		w.to.WriteHeader(status)
		return
	}
	h := w.to.Header()
	given := maps.Clone(h)
	defer func() {
		clear(h)
		maps.Copy(h, given)
	}()
	if own := w.Header(); !same(own, h) {
		clear(h)
		maps.Copy(h, own)
	}
	w.filter.Head(h, false)
	w.to.WriteHeader(status)
}

// Write sends a part of the body, and the filtered head before it.
func (w *Writer) Write(p []byte) (int, error) {
	w.beforeHead(true)
	return w.to.Write(p)
}

// beforeHead comes before each call that may send a head. When the first one has
// gone through that sends the final head, nobody looks at a header map until the
// handler has returned: another goroutine may be setting trailers.
func (w *Writer) beforeHead(final bool) {
	if w.settled.Load() {
		return
	}
	top := w
	for top.outer != nil {
		top = top.outer
	}
	for v := top; v != nil; v = v.view.Load() {
		v.settle(final)
		if v == w {
			final = false // the call does not go through the views further down
		}
	}
}

// settle makes the map below what may leave.
func (w *Writer) settle(final bool) {
	if w.apart != nil {
		w.apart.mu.Lock()
		defer w.apart.mu.Unlock()
	}
	if w.settled.Load() {
		return
	}
	if !w.sharesWithOuter() {
		h := w.to.Header()
		w.handDown(h)
		w.filter.Head(h, true)
	}
	if final {
		w.settled.Store(true)
		if w.commits {
			w.filter.Visitor.Commit()
		}
	}
}

// handDown makes in h, the map below, the changes that the handler has made in its
// own since the last time. What others have done to h stays: a writer that
// compresses says so there, and the lines of a Save stand there.
func (w *Writer) handDown(h http.Header) {
	own := w.own()
	if own == nil {
		return
	}
	handed := w.apart.handed[:0]
	for _, before := range w.apart.handed {
		values, has := own[before.key]
		if !has {
			if left := exchange(h[before.key], before.values, nil); len(left) > 0 {
				h[before.key] = left
			} else {
				delete(h, before.key)
			}
			continue
		}
		if !slices.Equal(before.values, values) {
			given := slices.Clone(values) // the handler may write to its slice
			h[before.key] = exchange(h[before.key], before.values, given)
			before.values = given
		}
		handed = append(handed, before)
	}
	if w.apart.handed = handed; len(own) > len(handed) {
		w.handDownNew(h)
	}
}

// handDownNew does so with the keys that were not handed down yet. Few are, if any, by the
// time that there are many others: what stands outside sets few, and few come after a head.
func (w *Writer) handDownNew(h http.Header) {
	before := w.apart.handed
	handed := slices.Grow(before, len(w.apart.own)-len(before))
	for key, values := range w.apart.own {
		if slices.ContainsFunc(before, func(f field) bool { return f.key == key }) {
			continue
		}
		given := slices.Clone(values)
		h[key] = exchange(h[key], nil, given)
		handed = append(handed, field{key, given})
	}
	w.apart.handed = handed
}

// exchange returns lines with those of after in place of those of before. What both
// begin with stays where it is.
func exchange(lines, before, after []string) []string {
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		before, after = before[1:], after[1:]
	}
	lines = slices.Clone(lines)
	for _, line := range before {
		if i := slices.Index(lines, line); i >= 0 {
			lines = slices.Delete(lines, i, i+1)
		}
	}
	return append(lines, after...)
}

// sentHead reports whether some head has left for certain, be it not the final
// one.
func (w *Writer) sentHead() bool {
	below := beneath(w.to)
	return w.commits && w.settled.Load() || below != nil && below.sentHead()
}

// beneath returns the Writer that to is, if a handler is wrapped twice; else nil.
func beneath(to http.ResponseWriter) *Writer {
	if w, ok := to.(interface{ self() *Writer }); ok {
		return w.self()
	}
	return nil
}

func (w *Writer) self() *Writer { return w }

// same reports whether a and b are one map, which a writer and the one that it
// wraps usually share.
func same(a, b http.Header) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// The methods below are the roads that only some writers have. They are called
// only if expose has found that w.to has them.

func (w *Writer) flush() {
	w.beforeHead(true)
	w.to.(http.Flusher).Flush()
}

func (w *Writer) flushError() error {
	w.beforeHead(true)
	return w.to.(flushErrorer).FlushError()
}

func (w *Writer) writeString(s string) (int, error) {
	w.beforeHead(true)
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
	if !w.settled.Load() {
		piece, err := firstPiece(src)
		if len(piece) == 0 {
			return 0, err
		}
		w.beforeHead(true)
		beginning := io.MultiReader(bytes.NewReader(piece), src)
		if err != nil {
			beginning = io.MultiReader(bytes.NewReader(piece), failing{err})
		}
		n, err = to.ReadFrom(io.LimitReader(beginning, sniffed))
		if err != nil || n < sniffed {
			return n, err
		}
	}
	rest, err := to.ReadFrom(src)
	return n + rest, err
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
