package swap_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/swap"
)

func TestARequestThatIsUnderWayEndsWithTheHandlerWithWhichItBegan(t *testing.T) {
	var h swap.Handler
	begun, goOn, ended := make(chan bool), make(chan bool), make(chan string, 2)
	h.Set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- true
		<-goOn
		io.WriteString(w, "old")
	}), func(context.Context) { ended <- "old" })
	under := httptest.NewRecorder()
	answered := make(chan bool)
	go func() {
		h.ServeHTTP(under, httptest.NewRequest("GET", "/", nil))
		close(answered)
	}()
	<-begun
	h.Set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "new") }), func(context.Context) { ended <- "new" })
	next := httptest.NewRecorder()
	h.ServeHTTP(next, httptest.NewRequest("GET", "/", nil))
	assert.Equal(t, "new", next.Body.String())
	select {
	case which := <-ended:
		t.Errorf("the %s one has ended, and has a request under way", which)
	case <-time.After(50 * time.Millisecond):
	}
	goOn <- true
	<-answered
	assert.Equal(t, "old", under.Body.String())
	assert.Equal(t, "old", <-ended)
	require.NoError(t, h.Close(t.Context()))
	assert.Equal(t, "new", <-ended)
}

func TestAHandlerEndsThoughARequestPanics(t *testing.T) {
	var h swap.Handler
	ended := make(chan bool, 1)
	h.Set(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), func(context.Context) { ended <- true })
	assert.Panics(t, func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) })
	require.NoError(t, h.Close(t.Context()))
	assert.True(t, <-ended)
}

func TestCloseWaitsAsLongAsItIsGiven(t *testing.T) {
	var h swap.Handler
	begun, goOn := make(chan bool), make(chan bool)
	h.Set(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- true
		<-goOn
	}), func(context.Context) {})
	go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, h.Close(ctx), context.DeadlineExceeded)
	assert.Panics(t, func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) })
	close(goOn)
	assert.NoError(t, h.Close(t.Context()))
}

func TestWhatEndsKnowsHowLongCloseWaits(t *testing.T) {
	var h swap.Handler
	var given context.Context
	h.Set(http.NotFoundHandler(), func(ctx context.Context) { given = ctx })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, h.Close(ctx))
	assert.Equal(t, ctx, given)
}

// Nothing is served by a handler that has ended, however often it changes.
func TestNoRequestMeetsAHandlerThatHasEnded(t *testing.T) {
	var h swap.Handler
	var late, ends atomic.Int64
	set := func() {
		var over atomic.Bool
		h.Set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if over.Load() {
				late.Add(1)
			}
			io.WriteString(w, strings.Repeat("x", 10))
			if over.Load() {
				late.Add(1)
			}
		}), func(context.Context) {
			over.Store(true)
			ends.Add(1)
		})
	}
	set()
	stop := make(chan struct{})
	var visitors sync.WaitGroup
	for range 4 {
		visitors.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
				}
			}
		})
	}
	const changes = 2000
	for range changes {
		set()
	}
	close(stop)
	visitors.Wait()
	require.NoError(t, h.Close(t.Context()))
	assert.Zero(t, late.Load())
	assert.EqualValues(t, changes+1, ends.Load())
}
