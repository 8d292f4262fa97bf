package consentcaddy_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPagesGetTheScriptWhoeverServesThem(t *testing.T) {
	folder := t.TempDir()
	long := page + strings.Repeat("<p>some more text", 2000)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte(long), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "notes.txt"), []byte(page), 0o600))
	compressing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, long)
		z.Close()
	}))
	defer compressing.Close()
	files := "root " + folder + "\nfile_server\n"
	for _, test := range []struct{ name, handlers, path, coding, want string }{
		{"a proxy", "reverse_proxy " + backend(t), "/", "", withScript},
		{"PHP", "root " + folder + "\nphp_fastcgi " + fastCGI(t), "/", "", withScript},
		{"files", files, "/", "", strings.Replace(long, page, withScript, 1)},
		{"files that are compressed after", "encode gzip\n" + files, "/", "gzip", strings.Replace(long, page, withScript, 1)},
		{"a site that compresses", "reverse_proxy " + strings.TrimPrefix(compressing.URL, "http://"), "/", "gzip", strings.Replace(long, page, withScript, 1)},
		{"what is no page", files, "/notes.txt", "", page},
		{"the page of an error", files + "handle_errors {\nheader Content-Type text/html\nrespond \"" + page + "\"\n}", "/none", "", withScript},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, site("inject\n", test.handlers))
			var headers []string
			if test.coding != "" {
				headers = []string{"Accept-Encoding: " + test.coding}
			}
			a := s.ask(t, test.path, headers...)
			assert.Equal(t, test.coding, a.Header.Get("Content-Encoding"))
			if test.coding == "gzip" {
				z, err := gzip.NewReader(strings.NewReader(a.body))
				require.NoError(t, err)
				plain, err := io.ReadAll(z)
				require.NoError(t, err)
				a.body = string(plain)
			}
			assert.Equal(t, test.want, a.body)
		})
	}
}

// A part of a page is asked for once more as a whole. Caddy keeps in the request which of its
// blocks have had their turn.
func TestAPartOfAPageIsTheWholePageInBlocksToo(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a.html"), []byte(page), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a.txt"), []byte(page), 0o600))
	s := start(t, site("inject\n", "handle_path /shop/* {\nuri strip_suffix .x\nheader +X-Once it\nroot "+folder+"\nfile_server\n}\nhandle {\nrespond other 404\n}"))
	a := s.ask(t, "/shop/a.html.x", "Range: bytes=3-5")
	assert.Equal(t, 200, a.StatusCode)
	assert.Equal(t, withScript, a.body)
	assert.Equal(t, []string{"it"}, a.Header["X-Once"])
	a = s.ask(t, "/shop/a.txt", "Range: bytes=3-5")
	assert.Equal(t, 206, a.StatusCode)
	assert.Equal(t, page[3:6], a.body)
}

func TestWhatHasNotChangedStaysSo(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte(page), 0o600))
	s := start(t, site("inject\n", "root "+folder+"\nfile_server"))
	tag := s.ask(t, "/").Header.Get("ETag")
	require.NotEmpty(t, tag)
	a := s.ask(t, "/", "If-None-Match: "+tag)
	assert.Equal(t, 304, a.StatusCode)
	assert.Equal(t, tag, a.Header.Get("ETag"))
}
