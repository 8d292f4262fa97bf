// Package server listens to visitors, and bounds the time that each of them takes. On a
// second address it listens to operators.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cookiecharter/consent/proxy/internal/trust"
)

// A Config says how visitors are served. Addr, Handler and Log are required.
type Config struct {
	Addr    string // such as ":443"
	Handler http.Handler
	Limits  Limits
	TLS     TLS // the zero value is plain http
	Access  Access
	Admin   Admin

	// Trusted and Believed say whose word about visitors counts, for the access log.
	Trusted  trust.Hops
	Believed trust.Headers

	// Log is told what goes wrong.
	Log *slog.Logger

	// Seen, if not nil, gets each request when it has ended, and Begun when it begins.
	Begun func()
	Seen  func(Seen)

	// Close, if not nil, is called once the last answer is out, such as to close a ledger.
	// It has what is left of Limits.Grace, and at least a fifth of it.
	Close func(context.Context) error
}

// Limits bound what a visitor may take. Zero means the default of each. How long a whole
// request or answer takes has no limit, since uploads, downloads and streams take what they
// take; each piece of one has.
type Limits struct {
	Head  time.Duration // for the head of a request; 10 seconds
	Idle  time.Duration // for the next request on a connection; 2 minutes
	Piece time.Duration // for each piece that a visitor sends or takes; a minute
	Grace time.Duration // for everything that is under way when the server stops; 25 seconds
}

const (
	headPatience  = 10 * time.Second
	idlePatience  = 2 * time.Minute
	piecePatience = time.Minute
	// Orchestrators kill 30 seconds after they have asked to stop, unless told otherwise.
	grace          = 25 * time.Second
	maxRequestHead = 64 << 10
)

func (l Limits) orDefaults() Limits {
	return Limits{
		Head:  cmp.Or(l.Head, headPatience),
		Idle:  cmp.Or(l.Idle, idlePatience),
		Piece: cmp.Or(l.Piece, piecePatience),
		Grace: cmp.Or(l.Grace, grace),
	}
}

// A Server listens on its addresses. Make it with [Listen].
type Server struct {
	config    Config
	visitors  *http.Server
	listener  net.Listener
	redirect  *plain // nil for none
	admin     *plain // nil for none
	secure    bool
	stopping  atomic.Bool        // it has been asked to stop
	abandoned context.CancelFunc // ends what Shutdown does not wait for, such as websockets
}

// Listen begins to listen. The error joins every mistake in the config and every address
// that cannot be had.
func Listen(config Config) (*Server, error) {
	config.Limits = config.Limits.orDefaults()
	tlsConfig, challenge, wrong := config.TLS.config(config.Log)
	if wrong != nil {
		return nil, wrong
	}
	s := &Server{config: config, secure: tlsConfig != nil}
	var ctx context.Context
	ctx, s.abandoned = context.WithCancel(context.Background())
	s.visitors = &http.Server{
		Handler:           s.observe(withBodyPatience(config.Handler, config.Limits.Piece)),
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: config.Limits.Head,
		IdleTimeout:       config.Limits.Idle,
		MaxHeaderBytes:    maxRequestHead,
		ErrorLog:          slog.NewLogLogger(config.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withConn,
	}
	if err := s.listen(challenge); err != nil {
		return nil, errors.Join(err, s.closeListeners())
	}
	return s, nil
}

func (s *Server) listen(challenge func(http.Handler) http.Handler) error {
	var failures []error
	bind := func(what, addr string) net.Listener {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", what, err))
		}
		return listener
	}
	s.listener = bind("address for visitors", s.config.Addr)
	if addr := s.config.TLS.Redirect; addr != "" {
		s.redirect = s.newPlain(bind("address for http", addr), challenge(http.HandlerFunc(toHTTPS)))
	}
	if addr := s.config.Admin.Addr; addr != "" {
		s.admin = s.newPlain(bind("address for operators", addr), s.operate())
	}
	return errors.Join(failures...)
}

func (s *Server) closeListeners() error {
	s.abandoned()
	var err error
	for _, l := range []net.Listener{s.listener, s.redirect.listening(), s.admin.listening()} {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	return err
}

// Addr returns the address for visitors, and whether they come by TLS.
func (s *Server) Addr() (addr net.Addr, secure bool) { return s.listener.Addr(), s.secure }

// AdminAddr returns the address for operators, nil if there is none.
func (s *Server) AdminAddr() net.Addr {
	if s.admin == nil {
		return nil
	}
	return s.admin.listener.Addr()
}

// Serve serves until ctx is done. Then it lets answers that are under way end, and calls
// Config.Close, both within Limits.Grace. It returns what has failed in that.
func (s *Server) Serve(ctx context.Context) error {
	failed := make(chan error, 3)
	for _, p := range []*plain{s.redirect, s.admin} {
		if p != nil {
			go func() { failed <- p.Serve(p.listener) }()
		}
	}
	go func() { failed <- s.serveVisitors() }()
	select {
	case err := <-failed:
		return errors.Join(err, s.shutdown())
	case <-ctx.Done():
		return s.shutdown()
	}
}

func (s *Server) serveVisitors() error {
	listener := patientListener{s.listener, s.config.Limits.Piece}
	if s.secure {
		return s.visitors.ServeTLS(listener, "", "")
	}
	return s.visitors.Serve(listener)
}

// closeShare is the part of the grace that is kept for Config.Close: a fifth.
const closeShare = 5

func (s *Server) shutdown() error {
	s.stopping.Store(true)
	all, cancel := context.WithTimeout(context.Background(), s.config.Limits.Grace)
	defer cancel()
	forVisitors, cancelVisitors := context.WithTimeout(all, s.config.Limits.Grace*(closeShare-1)/closeShare)
	defer cancelVisitors()
	err := s.visitors.Shutdown(forVisitors)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.visitors.Close() // a stream may have no end
	}
	s.abandoned()
	if s.config.Close != nil {
		err = errors.Join(err, s.closeWithin(all))
	}
	for _, p := range []*plain{s.redirect, s.admin} {
		if p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	return err
}

// closeWithin calls Config.Close, and waits for it no longer than ctx allows.
func (s *Server) closeWithin(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.config.Close(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // it has heeded ctx too, and knows more
		return err
	case <-time.After(closeDelay):
		return fmt.Errorf("stopped before everything was written: %w", ctx.Err())
	}
}

// closeDelay is how long Config.Close has to say what it could not do.
const closeDelay = 100 * time.Millisecond
