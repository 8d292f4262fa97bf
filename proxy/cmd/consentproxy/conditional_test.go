package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The site is net/http's own, which knows conditions and ranges as RFC 9110 has them.
func TestConditionsAndRangesAreThoseOfThePageWithTheTag(t *testing.T) {
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	date := changed.Format(http.TimeFormat)
	text := strings.Repeat("0123456789", 10)
	address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
		kind, content := "text/html; charset=utf-8", page
		if r.URL.Path == "/text" {
			kind, content = "text/plain", text
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("ETag", `"a,b"`)
		if r.Method == "PUT" && r.Header.Get("If-Match") != `"a,b"` {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		http.ServeContent(w, r, "", changed, strings.NewReader(content))
	}), options{inject: true})
	for _, test := range []struct {
		name, method, path string
		headers            []string
		status             int
		body, tag          string
	}{
		{"the page", "GET", "/", nil, 200, withBanner, `W/"a,b"`},
		{"its head", "HEAD", "/", nil, 200, "", `W/"a,b"`},
		{"what the visitor has", "GET", "/", []string{`If-None-Match: W/"a,b"`}, 304, "", `W/"a,b"`},
		{"one of several", "GET", "/", []string{`If-None-Match: "x", W/"a,b"`}, 304, "", `W/"a,b"`},
		{"another one that ends alike", "GET", "/", []string{`If-None-Match: "W/"a,b"`}, 200, withBanner, `W/"a,b"`},
		{"not changed since", "GET", "/", []string{"If-Modified-Since: " + date}, 304, "", `"a,b"`},
		{"another tag", "GET", "/", []string{`If-None-Match: W/"x"`, "If-Modified-Since: " + date}, 200, withBanner, `W/"a,b"`},
		{"a part", "GET", "/", []string{"Range: bytes=20-29"}, 200, withBanner, `W/"a,b"`},
		{"the end", "GET", "/", []string{"Range: bytes=-10"}, 200, withBanner, `W/"a,b"`},
		{"parts", "GET", "/", []string{"Range: bytes=0-1,20-29"}, 200, withBanner, `W/"a,b"`},
		{"a part if not changed since", "GET", "/", []string{"Range: bytes=20-29", "If-Range: " + date}, 200, withBanner, `W/"a,b"`},
		{"a part of what the visitor has", "GET", "/", []string{"Range: bytes=20-29", `If-Range: W/"a,b"`}, 200, withBanner, `W/"a,b"`},
		{"a part of the page without the tag", "GET", "/", []string{"Range: bytes=20-29", `If-Range: "a,b"`}, 200, withBanner, `W/"a,b"`},
		{"to change what has the tag", "PUT", "/", []string{`If-Match: W/"a,b"`}, 412, "", `"a,b"`},
		{"text", "GET", "/text", nil, 200, text, `"a,b"`},
		{"a part of text", "GET", "/text", []string{"Range: bytes=5-14", `If-Range: "a,b"`}, 206, "5678901234", `"a,b"`},
		{"text that the visitor has", "GET", "/text", []string{`If-None-Match: "a,b"`}, 304, "", `"a,b"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body, err := ask(t, test.method, address+test.path, test.headers...)
			require.NoError(t, err)
			assert.Equal(t, test.status, response.StatusCode)
			assert.Equal(t, test.body, body)
			if test.status != 412 {
				assert.Equal(t, test.tag, response.Header.Get("ETag"))
			}
			if test.status == 200 && test.path == "/" {
				assert.Equal(t, "none", response.Header.Get("Accept-Ranges"))
				assert.Empty(t, response.Header.Get("Content-Range"))
			}
		})
	}
	response, body, err := ask(t, "GET", address+"/text", "Range: bytes=0-1,20-29")
	require.NoError(t, err)
	assert.Equal(t, http.StatusPartialContent, response.StatusCode)
	assert.Contains(t, body, "\r\n\r\n0123456789\r\n", "parts of text stay parts")
	assert.Contains(t, body, "\r\n\r\n01\r\n", "from the first byte on")
}
