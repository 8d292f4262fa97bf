// Package backend passes requests on to the site behind the proxy.
package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent/proxy/inject"
	"github.com/cookiecharter/consent/proxy/internal/server"
	"github.com/cookiecharter/consent/proxy/internal/trust"
	"github.com/cookiecharter/consent/proxy/site"
)

// IdleTimeout is how long a connection to the site waits for a request.
const IdleTimeout = 30 * time.Second

const (
	dialPatience     = 10 * time.Second // for a connection to the site
	answerPatience   = time.Minute      // for the head of its answer
	maxIdleToSite    = 512              // connections that wait for a request
	maxAnswerHead    = 256 << 10
	copyBufferLength = 32 << 10
)

// A Config says which site is behind the proxy. Target is required.
type Config struct {
	// Target is the address of the site, without a path: see [ParseTarget]. Required.
	Target *url.URL

	// CookieName is the name of the visitor's decision, which the site neither sees nor
	// sets. Empty means "cookies_preferences".
	CookieName string

	// Trusted are the machines in front of the proxy whose forwarding headers are passed
	// on. Nil trusts nobody.
	Trusted trust.Hops

	// Injection, if not nil, adds the banner's script to pages.
	Injection *inject.Injection

	// Log is told if the site does not answer properly. Required.
	Log *slog.Logger
}

// ParseTarget reads the URL of a site, which has no path: links, redirects and cookies of a
// site below a path would not lead back through the proxy.
func ParseTarget(to string) (*url.URL, error) {
	if to == "" {
		return nil, errors.New("names no site, such as http://localhost:8000")
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("is not the URL of a site, such as http://localhost:8000")
	}
	if u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("holds more than scheme, host and port, such as http://localhost:8000")
	}
	return u, nil
}

// A backend is the site behind the proxy.
type backend struct{ Config }

// New returns a handler that passes requests on to the site.
func New(config Config) http.Handler {
	b := &backend{config}
	proxy := &httputil.ReverseProxy{
		Rewrite:        b.rewrite,
		ModifyResponse: b.modify,
		ErrorHandler:   b.fail,
		ErrorLog:       slog.NewLogLogger(b.Log.Handler(), slog.LevelWarn),
		BufferPool:     new(buffers),
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: dialPatience}).DialContext,
			TLSHandshakeTimeout:    dialPatience,
			ResponseHeaderTimeout:  answerPatience,
			ExpectContinueTimeout:  time.Second,
			MaxIdleConnsPerHost:    maxIdleToSite,
			IdleConnTimeout:        IdleTimeout,
			MaxResponseHeaderBytes: maxAnswerHead,
			DisableCompression:     true, // what is compressed for the visitor passes as it is
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect { // a tunnel is no request to the site
			http.Error(w, "this is no forward proxy", http.StatusMethodNotAllowed)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// rewrite makes the request for the site: the visitor's own, to the host that
// the visitor has asked for, so that the site's redirects, links and checks of
// the origin hold.
func (b *backend) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = b.Target.Scheme, b.Target.Host
	r.Out.Host = r.In.Host
	r.Out.URL.RawQuery = r.In.URL.RawQuery // the site reads it, the proxy does not
	setForwarded(r, b.Trusted)
	site.HideDecision(r.Out.Header, b.CookieName)
	// A tunnel in another protocol, such as HTTP/2 by h2c, would pass by the filter.
	if !strings.EqualFold(r.Out.Header.Get("Upgrade"), "websocket") {
		r.Out.Header.Del("Upgrade")
		r.Out.Header.Del("Connection")
	}
	if b.Injection != nil {
		b.Injection.PrepareRequest(r.Out)
	}
}

func (b *backend) modify(res *http.Response) error {
	site.KeepDecision(res.Header, b.CookieName)
	res.Header.Del("Alt-Svc") // would lead browsers past the proxy
	if b.Injection != nil {
		return b.Injection.ModifyResponse(res)
	}
	return nil
}

// fail answers where the site does not. The visitor learns no more than the
// status; the log says what is wrong, but for what a broken head holds: there
// may be cookies in it.
func (b *backend) fail(w http.ResponseWriter, r *http.Request, err error) {
	var byVisitor *server.VisitorError
	if errors.As(err, &byVisitor) {
		http.Error(w, http.StatusText(byVisitor.Status()), byVisitor.Status())
		return
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the visitor has left
	}
	status, reason := http.StatusBadGateway, fmt.Sprintf("its answer has no valid head, or one of more than %d bytes", maxAnswerHead)
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		status, reason = http.StatusGatewayTimeout, "it takes too long"
	case errors.As(err, &network):
		reason = network.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		reason = "it has closed the connection without an answer"
	case errors.As(err, &certificate):
		reason = certificate.Error()
	}
	b.Log.Warn("the site does not answer properly", "reason", reason, "method", r.Method, "path", r.URL.Path)
	http.Error(w, fmt.Sprintf("%d %s", status, http.StatusText(status)), status)
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
