package consentcaddy

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// If a handler fails, Caddy has the error routes answer ("handle_errors"), with the writer
// from before any handler. So that what they set is filtered too, each list of error routes
// of a configuration with consent begins with a route that takes the request through the
// handlers by whose hands the error went.

// filterErrors puts that route in front of the error routes that are provisioned later: those
// of all servers that are not provisioned yet, and of the subroutes around the handler.
func filterErrors(ctx caddy.Context) {
	for _, module := range ctx.Modules() {
		switch m := module.(type) {
		case *caddyhttp.App:
			for _, server := range m.Servers {
				putFirst(server.Errors)
			}
		case *caddyhttp.Subroute:
			putFirst(m.Errors)
		}
	}
}

func putFirst(to *caddyhttp.HTTPErrorConfig) {
	if to == nil || len(to.Routes) == 0 {
		return // nothing but a status is answered
	}
	if first := to.Routes[0].Handlers; len(first) > 0 {
		if _, is := first[0].(errorFilter); is {
			return
		}
	}
	route := caddyhttp.Route{Handlers: []caddyhttp.MiddlewareHandler{errorFilter{}}}
	to.Routes = append(caddyhttp.RouteList{route}, to.Routes...)
}

// A failure is an error on its way out through a handler.
type failure struct {
	handler *Handler
	lines   []string // the Set-Cookie lines of the response before the handler edited them
}

// failuresVar is the variable of a request that holds its failures, from the inside outwards.
const failuresVar = "consent.failures"

// An errorFilter is in front of error routes.
type errorFilter struct{}

// ServeHTTP filters what the error routes answer as the handlers would have.
func (errorFilter) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	failures, _ := caddyhttp.GetVar(r.Context(), failuresVar).([]failure)
	if len(failures) == 0 {
		return next.ServeHTTP(w, r)
	}
	caddyhttp.SetVar(r.Context(), failuresVar, nil)
	// The handlers edit the head anew: what they have added would be there twice.
	if lines := failures[0].lines; len(lines) > 0 {
		w.Header()["Set-Cookie"] = lines
	} else {
		w.Header().Del("Set-Cookie")
	}
	for _, f := range failures {
		next = through(f.handler, next)
	}
	return next.ServeHTTP(w, r)
}

func through(h *Handler, next caddyhttp.Handler) caddyhttp.Handler {
	return caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error { return h.ServeHTTP(w, r, next) })
}
