package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/server"
)

// listen serves until stop is called, which returns what Serve has.
func listen(t *testing.T, config server.Config) (s *server.Server, stop func() error) {
	t.Helper()
	config.Addr = "127.0.0.1:0"
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s, err := server.Listen(config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	var result error
	done := false
	stop = func() error {
		if !done {
			cancel()
			result, done = <-ended, true
		}
		return result
	}
	t.Cleanup(func() { _ = stop() }) // what it has returned, the test has seen
	return s, stop
}

func addressOf(s *server.Server) string {
	addr, secure := s.Addr()
	if secure {
		return "https://" + addr.String()
	}
	return "http://" + addr.String()
}

// A stream without an end, a tunnel, and a database that does not answer share one time.
func TestStoppingKeepsToOnePeriodOfGrace(t *testing.T) {
	const grace = 3 * time.Second
	site, _ := inFront(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echo(w)
			return
		}
		for {
			if _, err := io.WriteString(w, "more"); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}), options{})
	closing := make(chan [2]time.Time, 1) // when the database is closed, and how long it has
	s, stop := listen(t, server.Config{
		Handler: passOn(t, site),
		Limits:  server.Limits{Grace: grace},
		Close: func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			closing <- [2]time.Time{time.Now(), deadline}
			select {} // heeds nothing
		},
	})
	stream, err := client.Get(addressOf(s))
	require.NoError(t, err)
	defer stream.Body.Close()
	tunnel, from := dial(t, addressOf(s))
	io.WriteString(tunnel, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, err = http.ReadResponse(from, nil)
	require.NoError(t, err)

	begin := time.Now()
	assert.ErrorIs(t, stop(), context.DeadlineExceeded)
	// A busy machine is late with all of it: what is compared is what the server has planned.
	times := <-closing
	closed, deadline := times[0], times[1]
	assert.Less(t, deadline.Sub(begin), grace*3/2, "it is one time")
	assert.Greater(t, closed.Sub(begin), grace/2, "the stream had its part")
	assert.True(t, closed.Before(deadline), "and the database its own")
	_, err = io.Copy(io.Discard, stream.Body)
	assert.Error(t, err)
	_, err = io.Copy(io.Discard, from)
	var timeout net.Error
	assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the tunnel has ended")
}

func TestTheGraceIs25SecondsUnlessSaidOtherwise(t *testing.T) {
	var deadline time.Time
	_, stop := listen(t, server.Config{Handler: http.NotFoundHandler(), Close: func(ctx context.Context) error {
		deadline, _ = ctx.Deadline()
		return nil
	}})
	begin := time.Now()
	require.NoError(t, stop())
	assert.GreaterOrEqual(t, deadline.Sub(begin), 25*time.Second)
	assert.LessOrEqual(t, time.Until(deadline), 25*time.Second)
}

func TestWhatFailsToCloseIsSaid(t *testing.T) {
	_, stop := listen(t, server.Config{Handler: http.NotFoundHandler(), Close: func(context.Context) error { return errors.New("one record is lost") }})
	assert.ErrorContains(t, stop(), "one record is lost")
}
