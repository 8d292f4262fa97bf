package writer

import "net/http"

// opensSession reports whether r opens a session of WebTransport, as quic-go shows the
// :protocol of an extended CONNECT (draft-ietf-webtrans-http3 section 3.2; the name was
// "webtransport" before draft 15). In a request of HTTP/1 or HTTP/2 it never stands here.
func opensSession(r *http.Request) bool {
	return r.Method == http.MethodConnect && (r.Proto == "webtransport" || r.Proto == "webtransport-h3")
}

// release hands to on as it is. The handler of a session takes the stream by methods of
// quic-go's own writer, whose types no writer of ours can name. Nothing leaks: browsers
// open a session without credentials, and store no cookie of the answer (W3C
// WebTransport, "establish a WebTransport session"). For the same reason nothing can be
// decided.
func (w *Writer) release() http.ResponseWriter {
	w.hijacked = true
	w.filter.End()
	return w.to
}
