package consentcaddy

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/cookiecharter/consent/proxy/site"
)

// ServeHTTP serves below the charter's path by itself, and filters what next answers to
// everything else. An error of next is returned as it is.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	h.uses.Add(1)
	defer h.leave()
	handler, err := h.open()
	if err != nil {
		return caddyhttp.Error(http.StatusServiceUnavailable, err)
	}
	p := &passage{next: next, request: r, url: *r.URL, header: r.Header}
	// A copy: the middleware goes by the request as it came.
	handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passageKey{}, p)))
	if p.err != nil {
		failures, _ := caddyhttp.GetVar(r.Context(), failuresVar).([]failure)
		caddyhttp.SetVar(r.Context(), failuresVar, append(failures, failure{h, p.lines}))
	}
	return p.err
}

// A passage is the way of one request through the middleware to the handler that is next.
type passage struct {
	next    caddyhttp.Handler
	request *http.Request
	url     url.URL     // before others change it
	header  http.Header // as it came; nobody changes it
	err     error
	lines   []string // with an error, the Set-Cookie lines so far
}

type passageKey struct{}

// pass hands a request on that has come through the middleware. With [Handler.Inject] it is
// called twice if a part of a page is answered.
func (h *Handler) pass(w http.ResponseWriter, r *http.Request) {
	p := r.Context().Value(passageKey{}).(*passage)
	k := &keeper{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}, name: h.CookieName}
	defer p.enter(r, h)()
	p.err = p.next.ServeHTTP(k, p.request)
	k.keep()
	if p.err != nil {
		p.lines = slices.Clone(w.Header()["Set-Cookie"])
	}
}

// enter makes the request that Caddy's placeholders look at, {path} among them, the one that
// comes from the middleware: handlers change it in place, and another one they would not
// see. It returns what takes back the changes of the middleware.
func (p *passage) enter(r *http.Request, h *Handler) (leave func()) {
	ctx := p.request.Context()
	url := p.url
	*p.request = *r
	p.request.URL, p.request.Header = &url, maps.Clone(r.Header)
	if h.Inject && len(r.Header["Range"]) > 0 {
		withGroups(p.request)
	}
	site.HideDecision(p.request.Header, h.CookieName)
	return func() {
		for _, name := range []string{"Cookie", "Accept-Encoding", "Range", "If-Range"} {
			if values, had := p.header[name]; had {
				p.request.Header[name] = values
			}
		}
		*p.request = *p.request.WithContext(ctx)
	}
}

// withGroups gives a request its own groups of routes, in which Caddy keeps the routes that
// are not to be tried any more: the request may come by a second time. Of "handle" blocks
// none would be left.
func withGroups(r *http.Request) {
	const key = caddy.CtxKey("route_group") // as Caddy has it; a test says so
	if groups, ok := r.Context().Value(key).(map[string]struct{}); ok {
		*r = *r.WithContext(context.WithValue(r.Context(), key, maps.Clone(groups)))
	}
}

// A keeper keeps the site from overwriting the decision, which is between the visitor and
// Caddy.
type keeper struct {
	*caddyhttp.ResponseWriterWrapper
	name string
	kept bool // the head has left
}

func (k *keeper) keep() {
	if !k.kept {
		site.KeepDecision(k.Header(), k.name)
	}
}

// WriteHeader sends a head.
func (k *keeper) WriteHeader(status int) {
	k.keep()
	k.kept = k.kept || status >= 200 || status == http.StatusSwitchingProtocols
	k.ResponseWriterWrapper.WriteHeader(status)
}

// Write sends the head, if it has not left, and a piece of the body.
func (k *keeper) Write(b []byte) (int, error) {
	k.keep()
	k.kept = true
	return k.ResponseWriterWrapper.Write(b)
}

// ReadFrom sends the head, if it has not left, and the body.
func (k *keeper) ReadFrom(from io.Reader) (int64, error) {
	k.keep()
	k.kept = true
	return k.ResponseWriterWrapper.ReadFrom(from)
}

// Flush sends what is written.
func (k *keeper) Flush() { _ = k.FlushError() }

// FlushError is Flush for [http.ResponseController].
func (k *keeper) FlushError() error {
	k.keep()
	k.kept = true
	return http.NewResponseController(k.ResponseWriter).Flush()
}
