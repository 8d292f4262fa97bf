package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/inject"
)

const page = "<!doctype html><html><head><title>t</title></head><body>text</body></html>"

var withBanner = strings.Replace(page, "<title>", bannerTag+"<title>", 1)

// pageSite answers with page and the headers that its query says.
func pageSite(t *testing.T) string {
	return newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		status := http.StatusOK
		for key, values := range r.URL.Query() {
			if key == "status" {
				fmt.Sscan(values[0], &status)
			} else if values[0] == "" {
				w.Header()[key] = nil
			} else {
				w.Header()[key] = values
			}
		}
		w.WriteHeader(status)
		if status >= 200 && status != 204 && status != 304 {
			io.WriteString(w, page)
		}
	})
}

func TestWhichAnswersGetTheTags(t *testing.T) {
	address, _ := inFront(t, pageSite(t), options{inject: true})
	for _, test := range []struct {
		query string
		want  bool
	}{
		{"", true},
		{"status=404", true},
		{"status=500", true},
		{"status=302&Location=/x", true},
		{"status=206&Content-Range=bytes+0-73/74", false},
		{"Content-Type=TEXT/HTML%3Bcharset=x", true},
		{"Content-Type=text/html%3B+charset=%22", true},
		{"Content-Type=text/html%3Bcharset=iso-8859-1", true},
		{"Content-Type=text/html%3Bcharset=UTF-16LE", false},
		{"Content-Type=text/plain", false},
		{"Content-Type=application/xhtml%2Bxml", false},
		{"Content-Type=nonsense", false},
		{"Content-Type=", false},
		{"Content-Encoding=deflate", false},
		{"Content-Encoding=br,+gzip", false},
		{"Content-Encoding=identity", true},
		{"Content-Disposition=attachment%3B+filename=a.html", false},
		{"Content-Disposition=inline", true},
		{"Cache-Control=public,+no-transform", false},
		{"Cache-Control=public,+max-age=60", true},
	} {
		t.Run(test.query, func(t *testing.T) {
			tag := "&Etag=" + `%22a%22&Content-Md5=m&Digest=d&Content-Digest=c&Repr-Digest=r&Accept-Ranges=bytes`
			response, body, err := ask(t, "GET", address+"/?"+test.query+tag)
			require.NoError(t, err)
			h := response.Header
			if !test.want {
				assert.Equal(t, page, body)
				assert.Equal(t, []string{`"a"`, "m", "d", "c", "r", "bytes"},
					[]string{h.Get("ETag"), h.Get("Content-Md5"), h.Get("Digest"), h.Get("Content-Digest"), h.Get("Repr-Digest"), h.Get("Accept-Ranges")})
				return
			}
			assert.Equal(t, withBanner, body)
			assert.Equal(t, []string{`W/"a"`, "", "", "", "", "none"},
				[]string{h.Get("ETag"), h.Get("Content-Md5"), h.Get("Digest"), h.Get("Content-Digest"), h.Get("Repr-Digest"), h.Get("Accept-Ranges")})
			assert.NotContains(t, h.Get("Cache-Control"), "private", "a page that is the same for everybody stays one")
			assert.Empty(t, h["Vary"])
		})
	}
}

func TestWithoutInjectNothingElseChanges(t *testing.T) {
	address, _ := inFront(t, pageSite(t), options{})
	response, body, err := ask(t, "GET", address+`/?Etag=%22a%22`)
	require.NoError(t, err)
	assert.Equal(t, page, body)
	assert.Equal(t, `"a"`, response.Header.Get("ETag"))
	assert.Equal(t, int64(len(page)), response.ContentLength)
}

func TestAHeadIsThatOfThePage(t *testing.T) {
	address, _ := inFront(t, pageSite(t), options{inject: true})
	response, body, err := ask(t, "HEAD", address+`/?Etag=%22a%22&Content-Length=74`)
	require.NoError(t, err)
	assert.Empty(t, body)
	assert.Equal(t, `W/"a"`, response.Header.Get("ETag"))
	assert.Equal(t, int64(-1), response.ContentLength)
}

func TestAPageOfKnownLengthStaysOneAndAFragmentIsLeftAlone(t *testing.T) {
	body := ""
	address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		io.WriteString(w, body)
	}), options{inject: true})
	for _, test := range []struct {
		name, body string
		length     int
		tag        string
	}{
		{"page", page, len(withBanner), `W/"a"`},
		{"fragment", "<p>text", 7, `"a"`},
		{"nothing", "", 0, `"a"`},
		{"place behind what net/http gathers", "<html><!--" + strings.Repeat(" ", 6000) + "--><head><title>", -1, `W/"a"`},
		{"long page", page + strings.Repeat("text", 5000), len(withBanner) + 20_000, `W/"a"`},
	} {
		body = test.body
		response, got, err := ask(t, "GET", address)
		require.NoError(t, err)
		assert.Equal(t, int64(test.length), response.ContentLength, test.name)
		assert.Equal(t, test.tag, response.Header.Get("ETag"), test.name)
		assert.Equal(t, test.tag[:1] == "W", strings.Contains(got, bannerTag), test.name)
		assert.Equal(t, test.body, strings.Replace(got, bannerTag, "", 1), test.name)
	}
}

func TestNotModifiedNamesTheTagThatTheVisitorHas(t *testing.T) {
	address, _ := inFront(t, pageSite(t), options{inject: true})
	for asked, want := range map[string]string{`W/"a"`: `W/"a"`, `"a"`: `"a"`, `"b", W/"a"`: `W/"a"`} {
		response, _, err := ask(t, "GET", address+`/?status=304&Etag=%22a%22`, "If-None-Match: "+asked)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotModified, response.StatusCode)
		assert.Equal(t, want, response.Header.Get("ETag"), asked)
	}
}

func TestWhatAPageIsAskedForIn(t *testing.T) {
	for accepted, want := range map[string]string{
		"gzip, deflate, br, zstd": "gzip, br, zstd",
		"dcb, br;q=0.5":           "br;q=0.5",
		"*":                       "gzip, br, zstd",
		"gzip;q=0, *;q=0.5":       "br;q=0.5, zstd;q=0.5",
		"x-gzip ; Q=0.001":        "x-gzip ; Q=0.001",
		"gzip;q=0.000, br":        "br",
		"deflate":                 "identity",
		"identity":                "identity",
		"*;q=0":                   "identity",
	} {
		r := &http.Request{Header: http.Header{"Accept-Encoding": {accepted}}}
		inject.New(bannerTag).PrepareRequest(r)
		assert.Equal(t, want, r.Header.Get("Accept-Encoding"), accepted)
	}
	r := &http.Request{Header: http.Header{}}
	inject.New(bannerTag).PrepareRequest(r)
	assert.NotContains(t, r.Header, "Accept-Encoding")
}

func TestACompressedPageGetsTheTagsAndStaysCompressed(t *testing.T) {
	long := page + strings.Repeat("<p>some more text", 20_000)
	for name, handler := range map[string]http.HandlerFunc{
		"of known length": func(w http.ResponseWriter, _ *http.Request) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			io.WriteString(z, long)
			z.Close()
			w.Header().Set("Content-Length", fmt.Sprint(b.Len()))
			w.Write(b.Bytes())
		},
		"streamed": func(w http.ResponseWriter, _ *http.Request) {
			z := gzip.NewWriter(w)
			io.WriteString(z, long[:20])
			z.Flush()
			w.(http.Flusher).Flush()
			io.WriteString(z, long[20:])
			z.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Encoding", "gzip")
				handler(w, r)
			}), options{inject: true})
			for range 3 { // with what the first has given back
				response, body, err := ask(t, "GET", address, "Accept-Encoding: gzip")
				require.NoError(t, err)
				assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
				z, err := gzip.NewReader(strings.NewReader(body))
				require.NoError(t, err)
				plain, err := io.ReadAll(z)
				require.NoError(t, err)
				assert.Equal(t, strings.Replace(long, "<title>", bannerTag+"<title>", 1), string(plain))
			}
			response, body, err := ask(t, "HEAD", address)
			require.NoError(t, err)
			assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
			assert.Empty(t, body)
		})
	}
}

// The site sends the next piece only when all that can be known of the one before
// has reached the visitor, so that the test ends only where nothing is held back.
func TestAStreamIsNotHeldBack(t *testing.T) {
	pieces := []struct{ sent, arrives string }{
		{"<!doc", "<!doc"},
		{"type html>\n<!-- a", "type html>\n<!-- a"},
		{" --> <html", " --> "},
		{"><he", "<html>"},
		{"ad", ""},
		{" data-a='", "<head data-a='"},
		{"'><meta", "'>"},
		{"><title", "<meta>"},
		{">t</title>", bannerTag + "<title>t</title>"},
		{"<p>text<", "<p>text<"},
		{"br", "br"},
	}
	for _, compressed := range []bool{false, true} {
		t.Run(fmt.Sprintf("compressed %v", compressed), func(t *testing.T) {
			next := make(chan bool)
			defer close(next)
			address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				to, flush := io.Writer(w), func() {}
				if compressed {
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(w)
					defer z.Close()
					to, flush = z, func() { z.Flush() }
				}
				w.(http.Flusher).Flush()
				for _, piece := range pieces {
					<-next
					io.WriteString(to, piece.sent)
					flush()
					w.(http.Flusher).Flush()
				}
			}), options{inject: true})
			response, err := client.Get(address) // returns with the head, before any piece
			require.NoError(t, err)
			defer response.Body.Close()
			from := io.Reader(response.Body)
			for i, piece := range pieces {
				next <- true
				if compressed && i == 0 {
					from, err = gzip.NewReader(response.Body)
					require.NoError(t, err)
				}
				got := make([]byte, len(piece.arrives))
				_, err := io.ReadFull(from, got)
				require.NoError(t, err, "%q", piece.sent)
				assert.Equal(t, piece.arrives, string(got))
			}
			rest, err := io.ReadAll(from)
			require.NoError(t, err)
			assert.Empty(t, rest)
		})
	}
}

// What has come of a page of known length arrives as it would without tags: in as
// many bytes, however long the rest may take.
func TestAPageOfKnownLengthIsNotHeldBack(t *testing.T) {
	first, rest := page+strings.Repeat("text", 4000), strings.Repeat("rest", 4000)
	arrived := make(chan bool)
	address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", fmt.Sprint(len(first)+len(rest)))
		io.WriteString(w, first)
		w.(http.Flusher).Flush()
		<-arrived
		io.WriteString(w, rest)
	}), options{inject: true})
	defer close(arrived)
	response, err := client.Get(address)
	require.NoError(t, err)
	defer response.Body.Close()
	got := make([]byte, len(first)-(4<<10)) // net/http keeps back 4 KB of an answer of known length
	_, err = io.ReadFull(response.Body, got)
	require.NoError(t, err)
	arrived <- true
	more, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(first, "<title>", bannerTag+"<title>", 1)+rest, string(got)+string(more))
}
