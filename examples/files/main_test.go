package main

import (
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

var changed = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// folder returns a folder with a file of a megabyte, and what the file holds.
func folder(t *testing.T) (root *os.Root, content string) {
	t.Helper()
	bytes := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(bytes)
	name := filepath.Join(t.TempDir(), "film.bin")
	require.NoError(t, os.WriteFile(name, bytes, 0o600))
	require.NoError(t, os.Chtimes(name, changed, changed))
	root, err := os.OpenRoot(filepath.Dir(name))
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	return root, string(bytes)
}

func TestRangesAndConditionsAreServedByteForByte(t *testing.T) {
	root, content := folder(t)
	site, err := newSite(root)
	require.NoError(t, err)
	server := drive.Serve(t, site)
	visitor := drive.Visit(t, server.Client(), server.URL+"/", "theme", "_pk_id.1.1fff")

	size := len(content)
	head := func(pairs ...string) http.Header {
		h := make(http.Header)
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	same, older := changed.Format(http.TimeFormat), changed.Add(-time.Hour).Format(http.TimeFormat)
	for name, test := range map[string]struct {
		method string
		asked  http.Header
		status int
		answer http.Header
		body   string
	}{
		"the whole":              {"GET", nil, 200, head("Content-Length", "1048576", "Accept-Ranges", "bytes"), content},
		"the beginning":          {"GET", head("Range", "bytes=0-99"), 206, head("Content-Range", "bytes 0-99/1048576", "Content-Length", "100"), content[:100]},
		"the middle":             {"GET", head("Range", "bytes=70000-800000"), 206, head("Content-Range", "bytes 70000-800000/1048576"), content[70000:800001]},
		"from somewhere on":      {"GET", head("Range", "bytes=1000000-"), 206, head("Content-Range", "bytes 1000000-1048575/1048576"), content[1000000:]},
		"the end":                {"GET", head("Range", "bytes=-5"), 206, head("Content-Length", "5"), content[size-5:]},
		"behind the end":         {"GET", head("Range", "bytes=1048576-"), 416, head("Content-Range", "bytes */1048576"), "invalid range: failed to overlap\n"},
		"If-Range, unchanged":    {"GET", head("Range", "bytes=0-99", "If-Range", same), 206, nil, content[:100]},
		"If-Range, changed":      {"GET", head("Range", "bytes=0-99", "If-Range", older), 200, head("Content-Length", "1048576"), content},
		"If-Modified-Since, not": {"GET", head("If-Modified-Since", same), 304, nil, ""},
		"If-Modified-Since, so":  {"GET", head("If-Modified-Since", older), 200, nil, content},
		"the head of the whole":  {"HEAD", nil, 200, head("Content-Length", "1048576", "Last-Modified", same), ""},
		"the head of a range":    {"HEAD", head("Range", "bytes=0-99"), 206, head("Content-Length", "100"), ""},
	} {
		for choice, passes := range map[string]bool{"accept": true, "refuse": false} {
			t.Run(name+", "+choice, func(t *testing.T) {
				visitor.Decide(server.URL+"/", choice)
				request, err := http.NewRequest(test.method, server.URL+"/files/film.bin", nil)
				require.NoError(t, err)
				if test.asked != nil {
					request.Header = test.asked.Clone()
				}
				answer := visitor.Send(request)
				assert.Equal(t, test.status, answer.StatusCode)
				for key := range test.answer {
					assert.Equal(t, test.answer.Get(key), answer.Header.Get(key), key)
				}
				assert.True(t, test.body == answer.Text, "%d bytes; want %d", len(answer.Text), len(test.body))
				assert.True(t, answer.Sets("theme"))
				assert.Equal(t, passes, answer.Sets("_pk_id.1.1fff"))
			})
		}
	}
}

func TestSeveralRangesComeInOneAnswer(t *testing.T) {
	root, content := folder(t)
	site, err := newSite(root)
	require.NoError(t, err)
	server := drive.Serve(t, site)
	request, err := http.NewRequest("GET", server.URL+"/files/film.bin", nil)
	require.NoError(t, err)
	request.Header.Set("Range", "bytes=0-9,500000-599999,-1")
	answer := drive.New(t, server.Client()).Send(request)

	assert.Equal(t, http.StatusPartialContent, answer.StatusCode)
	assert.True(t, answer.Sets("theme"))
	assert.False(t, answer.Sets("_pk_id.1.1fff"))
	_, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(strings.NewReader(answer.Text), params["boundary"])
	for _, want := range []string{content[:10], content[500000:600000], content[len(content)-1:]} {
		part, err := parts.NextPart()
		require.NoError(t, err)
		got, err := io.ReadAll(part)
		require.NoError(t, err)
		assert.True(t, want == string(got), "%s", part.Header.Get("Content-Range"))
	}
	_, err = parts.NextPart()
	assert.Equal(t, io.EOF, err)
}
