package roads

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	echov4 "github.com/labstack/echo/v4"
	echov4middleware "github.com/labstack/echo/v4/middleware"
	echov5 "github.com/labstack/echo/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each starts a site by the framework's own server, as its programs do, and returns how it
// is reached and how it is shut down. Shutdown returns when the server has ended.
var started = map[string]func(*testing.T, site) (url string, shutdown func(context.Context) error){
	"echo v4: Start": func(t *testing.T, s site) (string, func(context.Context) error) {
		e := echoV4Site(s)
		e.Pre(echov4.WrapMiddleware(s.mw.Wrap))
		return startEchoV4(t, e)
	},
	"echo v4: Start, RemoveTrailingSlash": func(t *testing.T, s site) (string, func(context.Context) error) {
		e := echoV4Site(s)
		e.Pre(echov4.WrapMiddleware(s.mw.Wrap), echov4.WrapMiddleware(s.site.Wrap), echov4middleware.RemoveTrailingSlash())
		return startEchoV4(t, e)
	},
	"echo v5: StartConfig": func(t *testing.T, s site) (string, func(context.Context) error) {
		e := echoV5Site(s)
		listening, ended := make(chan net.Addr, 1), make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		config := echov5.StartConfig{Address: "127.0.0.1:0", HideBanner: true, HidePort: true, ListenerAddrFunc: func(a net.Addr) { listening <- a }}
		go func() { ended <- config.Start(ctx, s.mw.Wrap(e)) }()
		return "http://" + (<-listening).String(), func(ctx context.Context) error { stop(); return last(ctx, ended) }
	},
	"chi: StripSlashes": func(t *testing.T, s site) (string, func(context.Context) error) {
		router := chi.NewRouter()
		router.Use(s.mw.Wrap, s.site.Wrap, middleware.StripSlashes)
		chiPages(router, s)
		return startHTTP(t, router)
	},
	"chi: StripSlashes, mounted": func(t *testing.T, s site) (string, func(context.Context) error) {
		router := chi.NewRouter()
		router.Use(s.mw.Wrap, middleware.StripSlashes)
		router.Handle("/cookies", s.site.Handler())
		router.Handle("/cookies/*", s.site.Handler())
		chiPages(router, s)
		return startHTTP(t, router)
	},
}

func TestAFrameworksOwnServer(t *testing.T) {
	for name, start := range started {
		t.Run(name, func(t *testing.T) {
			s, err := newSite()
			require.NoError(t, err)
			url, shutdown := start(t, s)
			client := &http.Client{Transport: new(http.Transport)}
			try(t, s, client, url, limits{})

			client.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			assert.NoError(t, shutdown(ctx), "the server ends by itself")
		})
	}
}

func startEchoV4(t *testing.T, e *echov4.Echo) (string, func(context.Context) error) {
	e.HideBanner, e.HidePort = true, true
	ended := make(chan error, 1)
	go func() { ended <- e.Start("127.0.0.1:0") }()
	require.Eventually(t, func() bool { return e.ListenerAddr() != nil }, time.Minute, time.Millisecond)
	return "http://" + e.ListenerAddr().String(), func(ctx context.Context) error {
		return errors.Join(e.Shutdown(ctx), last(ctx, ended))
	}
}

func startHTTP(t *testing.T, h http.Handler) (string, func(context.Context) error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: h}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func(ctx context.Context) error {
		return errors.Join(server.Shutdown(ctx), last(ctx, ended))
	}
}

// last returns how a server has ended; that it was shut down is no mistake.
func last(ctx context.Context, ended <-chan error) error {
	select {
	case err := <-ended:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func chiPages(router chi.Router, s site) {
	router.Get("/", page)
	router.Post("/accept", s.accept)
	router.Get("/stream", s.stream)
	router.NotFound(missing)
}
