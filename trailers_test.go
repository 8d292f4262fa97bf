package consent_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingLeaksInAnAnnouncedTrailer(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Set-Cookie, X-Sum")
		w.Header().Set("Set-Cookie", "sessionid=1")
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		w.Header().Set("Set-Cookie", "profile=1")
		w.Header().Set("X-Sum", "1")
	})
	raw := filtered(t, middleware(t, nil), h, nil)
	assert.Contains(t, raw, "X-Sum: 1")
	require.Equal(t, http.Header{"Set-Cookie": {"profile=1"}, "X-Sum": {"1"}}, getH2(t, h).Trailer, "bare")
	got := getH2(t, wrapped(t, h))
	assert.Equal(t, http.Header{"X-Sum": {"1"}}, got.Trailer)
	assert.Equal(t, []string{"sessionid=1"}, got.Header["Set-Cookie"])
}

// net/http copies the map when the head leaves, so that a handler may set
// trailers while it writes.
func TestNothingElseChangesForTrailersThatAreSetWhileTheBodyLeaves(t *testing.T) {
	mw := middleware(t, nil)
	for _, status := range []int{200, 201, 404} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				setBoth(w)
				w.WriteHeader(status)
				h.Set("Set-Cookie", "profile=1")
				io.WriteString(w, "x")
				assert.Equal(t, "profile=1", h.Get("Set-Cookie"), "nothing looks at it any more")
				var group sync.WaitGroup
				group.Go(func() {
					for i := range 1000 {
						h.Set(fmt.Sprintf("%sX-%d", http.TrailerPrefix, i), "1")
					}
				})
				for range 1000 {
					io.WriteString(w, "x")
				}
				w.(http.Flusher).Flush()
				group.Wait()
			})
			raw := filtered(t, mw, inner, nil)
			assert.Contains(t, raw, "X-999: 1")
			got := getH2(t, through(t, mw, inner))
			assert.Equal(t, "1", got.Trailer.Get("X-999"))
			assert.Equal(t, []string{"sessionid=1"}, got.Header["Set-Cookie"])
			rawGet(t, wrapped(t, through(t, mw, inner)), plainGet) // -race tells
		})
	}
}

func TestNothingElseChangesInTheTrailerOfARequest(t *testing.T) {
	for name, head := range map[string]string{"announced": "Trailer: X-Sum\r\n", "not announced": ""} {
		t.Run(name, func(t *testing.T) {
			read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, announced := r.Trailer["X-Sum"]
				_, err := io.Copy(io.Discard, r.Body)
				assert.NoError(t, err)
				fmt.Fprint(w, "sum ", r.Trailer.Get("X-Sum"), ", announced ", announced)
			})
			request := "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n" + head + "\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n"
			want := fmt.Sprint("sum 7, announced ", name == "announced")
			assert.Contains(t, rawGet(t, read, request), want, "bare")
			assert.Contains(t, rawGet(t, wrapped(t, read), request), want)
		})
	}
}

// net/http's HTTP/2 takes one prefix off a key while it walks the map, and may come
// by the rest again.
func TestNothingLeaksInATrailerWithTwoPrefixes(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "sessionid=1")
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		w.Header()[http.TrailerPrefix+http.TrailerPrefix+"Set-Cookie"] = []string{"profile=1"}
		w.Header()[http.TrailerPrefix+"X-Sum"] = []string{"1"}
	})
	leaks := false
	for range 50 {
		leaks = leaks || len(getH2(t, h).Trailer["Set-Cookie"]) > 0
		got := getH2(t, wrapped(t, h))
		require.Equal(t, http.Header{"X-Sum": {"1"}}, got.Trailer)
		require.Equal(t, []string{"sessionid=1"}, got.Header["Set-Cookie"])
	}
	assert.True(t, leaks, "bare")
}
