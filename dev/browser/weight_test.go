package browser

import (
	"bytes"
	"compress/gzip"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gzipped returns what is left of content on the wire.
func gzipped(t *testing.T, content string) int {
	t.Helper()
	var wire bytes.Buffer
	z, err := gzip.NewWriterLevel(&wire, gzip.BestCompression)
	require.NoError(t, err)
	_, err = io.WriteString(z, content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return wire.Len()
}

func TestABannerAddsLittleToAFirstPage(t *testing.T) {
	d := newDemo(t, declared...)
	fetch := func(tag template.HTML) string {
		t.Helper()
		path := regexp.MustCompile(`"(/cookies/[^"]+)"`).FindStringSubmatch(string(tag))
		require.NotNil(t, path, tag)
		response, err := http.Get(d.url + path[1])
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(content)
	}
	heaviest := 0
	for _, language := range languages(t) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", language)
		for range 2 {
			d.mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				heaviest = max(heaviest, gzipped(t, string(d.charter.Head(r)+d.charter.Script(r)+d.charter.Banner(r)+d.charter.Link(r))))
			})).ServeHTTP(httptest.NewRecorder(), r)
			// The second time it has the most to say.
			r.Header.Set("Country", "US")
			r.Header.Set("Sec-GPC", "1")
		}
	}
	script := gzipped(t, fetch(d.charter.Script(nil)))
	t.Logf("at most %d bytes in the page, script %d", heaviest, script)
	assert.LessOrEqual(t, heaviest, 3<<10, "in the page, with its style")
	assert.LessOrEqual(t, heaviest+script, 6<<10, "with the script")
}
