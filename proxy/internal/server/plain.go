package server

import (
	"log/slog"
	"net"
	"net/http"
	"time"
)

// A plain server answers small things on http.
type plain struct {
	*http.Server
	listener net.Listener
}

const plainPatience = 30 * time.Second // for a whole answer

func (s *Server) newPlain(listener net.Listener, handler http.Handler) *plain {
	return &plain{&http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headPatience,
		ReadTimeout:       plainPatience,
		WriteTimeout:      plainPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxRequestHead,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}, listener}
}

func (p *plain) listening() net.Listener {
	if p == nil {
		return nil
	}
	return p.listener
}

// toHTTPS leads a visitor who comes by http to the same page by https.
func toHTTPS(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "this site is on https", http.StatusBadRequest) // the body has been sent in the open
		return
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "" {
		http.Error(w, "the request names no host", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusMovedPermanently)
}
