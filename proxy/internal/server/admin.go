package server

import (
	"context"
	"io"
	"net/http"
)

// An Admin says what operators are told, on an address of their own. It is not for
// visitors: what is told there has no password.
type Admin struct {
	Addr string // such as "localhost:9090"; "" for none

	// Ready, if not nil, returns why a visitor cannot be served as they should be: /readyz
	// is 503 then.
	Ready func(context.Context) error

	// Metrics answers /metrics. Nil means that there are none.
	Metrics http.Handler
}

// operate answers operators: /healthz says that the process lives, /readyz that it is of
// use, so that a balancer takes it out if it is not.
func (s *Server) operate() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.stopping.Load() {
			say(w, http.StatusServiceUnavailable, "stopping")
			return
		}
		if ready := s.config.Admin.Ready; ready != nil {
			if err := ready(r.Context()); err != nil {
				say(w, http.StatusServiceUnavailable, err.Error())
				return
			}
		}
		say(w, http.StatusOK, "ok")
	})
	if s.config.Admin.Metrics != nil {
		mux.Handle("GET /metrics", s.config.Admin.Metrics)
	}
	return mux
}

func say(w http.ResponseWriter, status int, what string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, what+"\n") // to whoever is still there
}
