package roads

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trailing sets trailers in one goroutine while another writes the body, as a bare
// handler of these servers may once the head has left. -race tells of a map that both
// touch.
func trailing(w http.ResponseWriter, _ *http.Request) {
	setBoth(w)
	h := w.Header()
	io.WriteString(w, strings.Repeat("beginning ", 1000)) // more than a writer holds back
	w.(http.Flusher).Flush()
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 100 {
			h.Set(fmt.Sprintf("%sX-%d", http.TrailerPrefix, i), "1")
			h.Set(http.TrailerPrefix+"Set-Cookie", asked+"=late")
			h.Set("Set-Cookie", asked+"=late")
		}
	})
	for range 100 {
		io.WriteString(w, "body")
		http.NewResponseController(w).Flush()
	}
	group.Wait()
}

func TestNothingElseChangesForTrailersThatAreSetWhileTheBodyLeaves(t *testing.T) {
	serveTCP := func(http2 bool) func(*testing.T, http.Handler) (*http.Client, string) {
		return func(t *testing.T, h http.Handler) (*http.Client, string) {
			server := httptest.NewUnstartedServer(h)
			server.EnableHTTP2 = http2
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.Client(), server.URL
		}
	}
	s, err := newSite()
	require.NoError(t, err)
	compressed := func(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) }
	app := http.HandlerFunc(trailing)
	for name, h := range map[string]http.Handler{
		"bare":             app,
		"bare, in gzhttp":  compressed(app),
		"alone":            s.mw.Wrap(app),
		"in gzhttp":        compressed(s.mw.Wrap(app)),
		"around gzhttp":    s.mw.Wrap(compressed(app)),
		"twice, in gzhttp": s.mw.Wrap(compressed(s.mw.Wrap(app))),
	} {
		for protocol, serve := range map[string]func(*testing.T, http.Handler) (*http.Client, string){
			"HTTP/1": serveTCP(false), "HTTP/2": serveTCP(true), "HTTP/3": serveHTTP3,
		} {
			t.Run(name+"/"+protocol, func(t *testing.T) {
				client, url := serve(t, h)
				response, err := client.Get(url)
				require.NoError(t, err)
				defer response.Body.Close()
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				assert.Len(t, body, 10_000+400)
				assert.Equal(t, strings.HasSuffix(name, "gzhttp"), response.Uncompressed)
				assert.Equal(t, "1", response.Trailer.Get("X-99"))
				if strings.HasPrefix(name, "bare") {
					assert.Len(t, response.Header["Set-Cookie"], 2)
					assert.Contains(t, response.Trailer, "Set-Cookie")
				} else {
					assert.Equal(t, []string{necessary + "=dark"}, response.Header["Set-Cookie"])
					assert.NotContains(t, response.Trailer, "Set-Cookie")
				}
			})
		}
	}
}
