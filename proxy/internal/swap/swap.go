// Package swap changes what a server does while it serves.
package swap

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// A Handler passes each request to the handler that it has been given last. A request that
// is under way ends with the handler with which it began. Give it one, by [Handler.Set],
// before it serves. It is safe for concurrent use.
type Handler struct {
	current atomic.Pointer[generation]
	leaving sync.WaitGroup
	until   atomic.Pointer[context.Context] // that of Close; nil before
}

// A generation is one handler, and what uses it.
type generation struct {
	handler http.Handler
	ended   func(context.Context)
	uses    atomic.Int64 // the requests under way, and one more while it is the current one
}

// Set has every request that comes from here on served by a handler. Ended is called, in a
// goroutine of its own, once another one has taken its place and its last request is
// answered. Its context is that of [Handler.Close], or one without an end before that.
func (h *Handler) Set(handler http.Handler, ended func(context.Context)) {
	next := &generation{handler: handler, ended: ended}
	next.uses.Store(1)
	h.leaving.Add(1)
	if old := h.current.Swap(next); old != nil {
		h.leave(old)
	}
}

// ServeHTTP serves by the handler that was set last.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := h.enter()
	defer h.leave(g)
	g.handler.ServeHTTP(w, r)
}

// enter returns the current generation, which ends at the earliest when it is left. One
// that nobody uses any more has ended, between the two looks at it.
func (h *Handler) enter() *generation {
	for {
		g := h.current.Load()
		if g == nil {
			panic(http.ErrAbortHandler) // Close has given up waiting
		}
		for uses := g.uses.Load(); uses > 0; uses = g.uses.Load() {
			if g.uses.CompareAndSwap(uses, uses+1) {
				return g
			}
		}
	}
}

func (h *Handler) leave(g *generation) {
	if g.uses.Add(-1) > 0 {
		return
	}
	go func() {
		defer h.leaving.Done()
		ctx := context.Background()
		if until := h.until.Load(); until != nil {
			ctx = *until
		}
		g.ended(ctx)
	}()
}

// Close ends the last handler, and waits until each has ended, or ctx has: then it returns
// ctx's error. Nothing may be served afterwards.
func (h *Handler) Close(ctx context.Context) error {
	h.until.Store(&ctx)
	if last := h.current.Swap(nil); last != nil {
		h.leave(last)
	}
	ended := make(chan struct{})
	go func() {
		h.leaving.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
