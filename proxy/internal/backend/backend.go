// Package backend passes requests on to the sites behind the proxy.
package backend

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent/proxy/inject"
	"github.com/cookiecharter/consent/proxy/internal/trust"
	"github.com/cookiecharter/consent/proxy/site"
)

// A Config says which sites are behind the proxy. Targets are required.
type Config struct {
	// Targets are the sites. Of those that fit a request, the one with a host of its own
	// comes first, then the one with the longest path. Required.
	Targets []Target

	// CookieName is the name of the visitor's decision, which no site sees or sets. Empty
	// means "cookies_preferences".
	CookieName string

	// Trusted are the machines in front of the proxy whose word about visitors counts, and
	// Believed those of their headers that do. Nil trusts nobody; for Believed see
	// [trust.Headers].
	Trusted  trust.Hops
	Believed trust.Headers

	// Injection, if not nil, adds the banner's script to pages.
	Injection *inject.Injection

	Limits Limits

	// Log is told if a site does not answer properly. Required.
	Log *slog.Logger

	// Failed, if not nil, is told the same, with one of the reasons [Reasons].
	Failed func(reason string)
}

// Limits bound what a site may take. Zero means the default.
type Limits struct {
	Dial   time.Duration // for a connection and its handshake; 10 seconds
	Answer time.Duration // for the head of an answer, once the request is sent; a minute
}

// IdleTimeout is how long a connection to a site waits for a request.
const IdleTimeout = 30 * time.Second

const (
	dialPatience     = 10 * time.Second
	answerPatience   = time.Minute
	maxIdleToSite    = 512 // connections that wait for a request
	maxAnswerHead    = 256 << 10
	copyBufferLength = 32 << 10
)

// A backend is all sites behind the proxy.
type backend struct {
	Config
	buffers buffers
	proxies []*httputil.ReverseProxy // one for each target
}

// New returns a handler that passes requests on to the sites. Connections that wait are
// closed after [IdleTimeout].
func New(config Config) http.Handler {
	config.Targets = inOrder(config.Targets)
	b := &backend{Config: config}
	dial := cmp.Or(b.Limits.Dial, dialPatience)
	answer := cmp.Or(b.Limits.Answer, answerPatience)
	overTCP := newTransports(dial, answer)
	for _, target := range b.Targets {
		b.proxies = append(b.proxies, b.newProxy(target, overTCP))
	}
	return b
}

func (b *backend) newProxy(target Target, overTCP *transports) *httputil.ReverseProxy {
	transport := overTCP.to(target)
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { b.rewrite(r, target) },
		ModifyResponse: func(res *http.Response) error { return b.modify(res, transport) },
		ErrorHandler:   b.fail,
		ErrorLog:       slog.NewLogLogger(b.Log.Handler(), slog.LevelWarn),
		BufferPool:     &b.buffers,
		Transport:      transport,
	}
}

// ServeHTTP passes a request on to the site that it is for.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refuse(w, r) {
		return
	}
	i := find(b.Targets, r)
	if i < 0 {
		http.Error(w, "no site of this name is here", http.StatusMisdirectedRequest)
		return
	}
	a := &answer{ResponseWriter: w}
	r, leave := a.prepare(r)
	defer leave()
	b.proxies[i].ServeHTTP(a, r)
}

// refuse answers what is no request to a site, and reports whether it has.
func refuse(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodConnect, // asks for a tunnel, and this is no forward proxy
		http.MethodTrace, "TRACK", // would show cookies to scripts (RFC 9110 section 9.3.8)
		"PRI": // begins HTTP/2 without TLS (RFC 9113 section 11.6)
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		http.Error(w, "the method is not allowed here", http.StatusMethodNotAllowed)
		return true
	}
	switch {
	case r.Host == "": // the site would see its own address, and make links of it
		http.Error(w, "the request names no host", http.StatusBadRequest)
	case r.RequestURI == "*": // stands for no page; net/http answers OPTIONS itself
		http.Error(w, "the request names no page", http.StatusBadRequest)
	default:
		return false
	}
	return true
}

// rewrite makes the request for the site: the visitor's own, to the host that
// the visitor has asked for, so that the site's redirects, links and checks of
// the origin hold.
func (b *backend) rewrite(r *httputil.ProxyRequest, target Target) {
	r.Out.URL.Scheme, r.Out.URL.Host = target.scheme(), target.URL.Host
	r.Out.Host = r.In.Host
	r.Out.URL.RawQuery = r.In.URL.RawQuery // the site reads it, the proxy does not
	b.Trusted.Tell(r.Out.Header, r.In, b.Believed)
	site.HideDecision(r.Out.Header, b.CookieName)
	// A tunnel in another protocol, such as HTTP/2 by h2c, would pass by the filter.
	if !isWebsocket(r.Out) {
		r.Out.Header.Del("Upgrade")
		r.Out.Header.Del("Connection")
	}
	if b.Injection != nil {
		b.Injection.PrepareRequest(r.Out)
	}
}

func isWebsocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

func (b *backend) modify(res *http.Response, again http.RoundTripper) error {
	if b.Injection != nil {
		if err := b.Injection.ModifyResponse(res, again); err != nil {
			return err
		}
	}
	site.KeepDecision(res.Header, b.CookieName)
	res.Header.Del("Alt-Svc") // would lead browsers past the proxy
	return nil
}

// buffers are lent to copy bodies with.
type buffers struct{ sync.Pool }

func (b *buffers) Get() []byte {
	if buffer, ok := b.Pool.Get().(*[copyBufferLength]byte); ok {
		return buffer[:]
	}
	return make([]byte, copyBufferLength)
}

func (b *buffers) Put(buffer []byte) { b.Pool.Put((*[copyBufferLength]byte)(buffer)) }
