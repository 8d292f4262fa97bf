package backend

import (
	"net/http"
	"time"
)

// transports carry requests to sites.
type transports struct {
	http1 *http.Transport
	http2 *http.Transport // without TLS
}

func newTransports(dial, answer time.Duration) *transports {
	http1 := &http.Transport{
		DialContext:            dialer(dial, answer),
		TLSHandshakeTimeout:    dial,
		ResponseHeaderTimeout:  answer,
		ExpectContinueTimeout:  time.Second,
		MaxIdleConnsPerHost:    maxIdleToSite,
		IdleConnTimeout:        IdleTimeout,
		MaxResponseHeaderBytes: maxAnswerHead,
		DisableCompression:     true, // what is compressed for the visitor passes as it is
	}
	http2 := http1.Clone()
	http2.Protocols = new(http.Protocols)
	http2.Protocols.SetUnencryptedHTTP2(true)
	return &transports{http1, http2}
}

// to returns what carries requests to a target.
func (t *transports) to(target Target) http.RoundTripper {
	if target.URL.Scheme == "h2c" {
		return &overHTTP2{t}
	}
	return overHTTP1{t.http1}
}

// An overHTTP1 carries requests by HTTP/1.
type overHTTP1 struct{ *http.Transport }

func (t overHTTP1) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = markUpload(r)
	}
	return t.Transport.RoundTrip(r)
}

// An overHTTP2 carries requests by HTTP/2, except those for a websocket: browsers ask for
// it by HTTP/1.1, and net/http does not ask for it by HTTP/2 (RFC 8441).
type overHTTP2 struct{ *transports }

func (t *overHTTP2) RoundTrip(r *http.Request) (*http.Response, error) {
	if isWebsocket(r) {
		return t.http1.RoundTrip(r)
	}
	return t.http2.RoundTrip(r)
}
