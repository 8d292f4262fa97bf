package inject_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/inject"
)

const (
	tag  = `<script src="/cookies/script.js" defer></script>`
	page = "<!doctype html><html><head><title>t</title></head><body>text</body></html>"
)

var withTag = strings.Replace(page, "<title>", tag+"<title>", 1)

// An encoder compresses.
type encoder interface {
	io.WriteCloser
	Flush() error
}

// codings are those that pages come in.
var codings = map[string]struct {
	encode func(io.Writer) encoder
	decode func(io.Reader) (io.Reader, error)
}{
	"gzip": {func(w io.Writer) encoder { return gzip.NewWriter(w) }, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	"br":   {func(w io.Writer) encoder { return brotli.NewWriter(w) }, func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }},
	"zstd": {func(w io.Writer) encoder { e, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)); return e },
		func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) }},
}

func ask(t *testing.T, address string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	require.NoError(t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}, Timeout: time.Minute}).Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestAHandlersPagesGetTheTag(t *testing.T) {
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	server := httptest.NewServer(inject.New(tag).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		w.Header().Set("ETag", `"a"`)
		http.ServeContent(w, r, "", changed, strings.NewReader(page))
	})))
	defer server.Close()
	asHTML, asText := server.URL+"?type=text/html", server.URL+"?type=text/plain"
	for _, test := range []struct {
		name, address string
		headers       []string
		status        int
		body, tag     string
	}{
		{"a page", asHTML, nil, 200, withTag, `W/"a"`},
		{"text", asText, nil, 200, page, `"a"`},
		{"what the visitor has", asHTML, []string{`If-None-Match: W/"a"`}, 304, "", `W/"a"`},
		{"a part of a page", asHTML, []string{"Range: bytes=3-5"}, 200, withTag, `W/"a"`},
		{"parts of a page", asHTML, []string{"Range: bytes=3-5,7-8"}, 200, withTag, `W/"a"`},
		{"a part of text", asText, []string{"Range: bytes=3-5"}, 206, page[3:6], `"a"`},
	} {
		response, body := ask(t, test.address, test.headers...)
		assert.Equal(t, test.status, response.StatusCode, test.name)
		assert.Equal(t, test.body, body, test.name)
		assert.Equal(t, test.tag, response.Header.Get("ETag"), test.name)
	}
}

func TestAHandlersCompressedPagesGetTheTagAndStayCompressed(t *testing.T) {
	long := page + strings.Repeat("<p>some more text", 20_000)
	for name, c := range codings {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", known length ", known), func(t *testing.T) {
				server := httptest.NewServer(inject.New(tag).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var whole bytes.Buffer
					e := c.encode(&whole)
					io.WriteString(e, long)
					e.Close()
					w.Header().Set("Content-Type", "text/html")
					w.Header().Set("Content-Encoding", name)
					if known {
						w.Header().Set("Content-Length", fmt.Sprint(whole.Len()))
					}
					for chunk := range bytes.Lines(whole.Bytes()) { // in pieces of any length
						w.Write(chunk)
					}
				})))
				defer server.Close()
				for range 3 { // with what the first has given back
					response, body := ask(t, server.URL, "Accept-Encoding: "+name)
					assert.Equal(t, name, response.Header.Get("Content-Encoding"))
					plain, err := c.decode(strings.NewReader(body))
					require.NoError(t, err)
					text, err := io.ReadAll(plain)
					require.NoError(t, err)
					assert.Equal(t, strings.Replace(long, "<title>", tag+"<title>", 1), string(text))
				}
			})
		}
	}
}

func TestAHandlersStreamIsNotHeldBack(t *testing.T) {
	for name, c := range codings {
		t.Run(name, func(t *testing.T) {
			next := make(chan bool)
			server := httptest.NewServer(inject.New(tag).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Encoding", name)
				e := c.encode(w)
				defer e.Close()
				for _, piece := range []string{page, "<p>one", "<p>two"} {
					io.WriteString(e, piece)
					e.Flush()
					w.(http.Flusher).Flush()
					<-next
				}
			})))
			defer server.Close()
			response, err := http.Get(server.URL)
			require.NoError(t, err)
			defer response.Body.Close()
			plain := io.Reader(response.Body)
			if response.Header.Get("Content-Encoding") != "" { // else net/http has done it
				plain, err = c.decode(response.Body)
				require.NoError(t, err)
			}
			for _, piece := range []string{withTag, "<p>one", "<p>two"} {
				got := make([]byte, len(piece))
				_, err := io.ReadFull(plain, got)
				require.NoError(t, err)
				assert.Equal(t, piece, string(got))
				next <- true
			}
		})
	}
}

func TestAHandlersBrokenPageIsAborted(t *testing.T) {
	for name, handler := range map[string]func(w http.ResponseWriter){
		"not compressed": func(w http.ResponseWriter) { io.WriteString(w, page) },
		"a panic": func(w http.ResponseWriter) {
			gzip.NewWriter(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		server := httptest.NewServer(inject.New(tag).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", "gzip")
			handler(w)
		})))
		response, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Get(server.URL)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		assert.Error(t, err, name)
		server.Close()
	}
}
