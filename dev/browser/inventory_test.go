package browser

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

func TestTheInventoryIsToldWhatABrowserStores(t *testing.T) {
	t.Parallel()
	found := inventory.New(consent.MustRegistry(storing()...))
	mux := http.NewServeMux()
	mux.Handle("/debug/cookies", found.Handler())
	mux.HandleFunc("GET /shop/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "script-src 'self'; connect-src 'self'; img-src data:")
		_, _ = io.WriteString(w, `<!doctype html><title>t</title><link rel="icon" href="data:,"><script src="/debug/cookies?as=js" defer></script>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	all := func() (all []string, text string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "/debug/cookies?as=report", nil))
		var report struct {
			Cookies []struct {
				Name, Kind string
				SentTo     struct{ Paths []string }
			}
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &report))
		for _, c := range report.Cookies {
			assert.Equal(t, []string{"/shop/"}, c.SentTo.Paths)
			all = append(all, c.Kind+" "+c.Name)
		}
		return all, w.Body.String()
	}
	var want []string
	for _, name := range []string{"ad*", "bad_1", "own"} { // the others are declared
		for _, kind := range storages {
			want = append(want, kind.String()+" "+name)
		}
	}
	b := newTab(t)
	b.onEachPage(storageTools)
	b.visit(server.URL + "/shop/")
	eval[bool](b, "plant()") // after the page is loaded
	eval[bool](b, `localStorage.setItem("own", "a value"), true`)
	require.Eventually(t, func() bool {
		names, _ := all()
		return len(names) == len(want)
	}, time.Minute, 20*time.Millisecond)
	names, text := all()
	slices.Sort(names)
	slices.Sort(want)
	assert.Equal(t, want, names)
	assert.NotContains(t, text, "a value")
}
