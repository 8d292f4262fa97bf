package writer

import (
	"net/http"

	"github.com/cookiecharter/consent/internal/filter"
)

// IsWebTransport reports whether r opens a session of WebTransport, as quic-go shows
// the :protocol of an extended CONNECT (draft-ietf-webtrans-http3 section 3.2; the name
// was "webtransport" before draft 15). In a request of HTTP/1 or HTTP/2 it never stands
// here.
func IsWebTransport(r *http.Request) bool {
	return r.Method == http.MethodConnect && (r.Proto == "webtransport" || r.Proto == "webtransport-h3")
}

// Release is [Wrap] for a session of WebTransport. Its handler takes the stream by
// methods of quic-go's own writer, whose types no writer of ours can name, and so gets
// that writer. Nothing leaks: browsers open a session without credentials, and store no
// cookie of the answer (W3C WebTransport, "establish a WebTransport session"). For the
// same reason nothing can be decided.
func Release(w *Writer, to http.ResponseWriter, f *filter.Filter) http.ResponseWriter {
	w.to, w.filter, w.hijacked = to, f, true
	f.End()
	return to
}
