package writer

import (
	"net/http"
	"reflect"
	"sync/atomic"
)

// Kinds remembers what is known of each type of writer that a site's server has, of which
// there are one or two. To find it out anew takes a tenth of a request that needs nothing
// else (dev/bench, "no cookie": some 50 of 520 ns). The zero Kinds is ready for use, and
// safe for concurrent use.
type Kinds struct{ newest atomic.Pointer[kind] }

// A kind is what is known of the writers of one type.
type kind struct {
	of      reflect.Type
	has     uint // the optional methods, as expose numbers them
	ours    bool // it is a Writer, as if a handler is wrapped twice
	commits bool // see known
	isHTTP1 bool
	older   *kind // that was met before; nil if none was
}

// of returns what is known of a writer.
func (k *Kinds) of(w http.ResponseWriter) *kind {
	t, newest := reflect.TypeOf(w), k.newest.Load()
	for met := newest; met != nil; met = met.older {
		if met.of == t {
			return met
		}
	}
	met := kindOf(w)
	met.older = newest
	k.newest.CompareAndSwap(newest, met) // or another request has added one, and the next one of this type does
	return met
}

func kindOf(w http.ResponseWriter) *kind {
	k := &kind{of: reflect.TypeOf(w), has: abilities(w), ours: beneath(w) != nil}
	k.commits, k.isHTTP1 = known(k.of)
	return k
}

// known reports whether t is a type of writer that copies the header map when a handler
// sends the head, and looks at it no more but for trailers when the handler has
// returned. A handler may then change the map while it writes. There is no way to
// ask a writer, so that each was read in its source.
func known(t reflect.Type) (commits, isHTTP1 bool) {
	pkg := ""
	switch t.String() { // enough to tell that a writer is none of these
	case "*http.response": // of HTTP/1
		pkg, isHTTP1 = "net/http", true
	case "*http.http2responseWriter", // of HTTP/2, to Go 1.26
		"http.http2ResponseWriter": // of HTTP/2, from Go 1.27, and no pointer
		pkg = "net/http"
	case "*http2.responseWriter":
		pkg = "golang.org/x/net/http2"
	case "*httptest.ResponseRecorder":
		pkg = "net/http/httptest"
	default:
		return false, false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	commits = t.PkgPath() == pkg
	return commits, commits && isHTTP1
}
