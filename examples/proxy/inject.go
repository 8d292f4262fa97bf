package main

import (
	"io"
	"mime"
	"net/http"
	"strings"
)

// bannerTags are what a page needs to ask its visitors. They are the same for
// everybody, so that a page which a cache may keep stays one.
const bannerTags = `<link rel="stylesheet" href="` + charterPath + `style.css"><script src="` + charterPath + `script.js" defer></script>`

// An injection adds bannerTags to pages, with any status: to answers of the type
// text/html that begin like a page (see search), whole, plain or compressed with
// gzip. It leaves alone downloads (Content-Disposition: attachment) and what says
// "Cache-Control: no-transform" (RFC 9111 section 5.2.2.6). A
// Content-Security-Policy of the page must allow 'self' for scripts and styles.
//
// What a browser has kept from before, it goes on showing for as long as the
// site says that nothing has changed. The filter does not depend on it.
type injection struct{ recoders }

func newInjection() *injection { return new(injection) }

// ask makes a request one whose answer can be added to. Browsers and sites have
// gzip in common, and pages go through it both ways here; so other codings are
// asked for only by what is no page, as browsers say in Sec-Fetch-Dest.
func (i *injection) ask(r *http.Request) {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame", "embed", "object", "empty":
	default:
		return
	}
	accepted := r.Header["Accept-Encoding"]
	switch {
	case len(accepted) == 0:
	case acceptsGzip(accepted):
		r.Header["Accept-Encoding"] = []string{"gzip"}
	default:
		r.Header["Accept-Encoding"] = []string{"identity"}
	}
}

// acceptsGzip reads an Accept-Encoding (RFC 9110 section 12.5.3).
func acceptsGzip(header []string) bool {
	named, other := "", ""
	for part := range strings.SplitSeq(strings.Join(header, ","), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		weight = strings.TrimSpace(weight)
		if weight == "" {
			weight = "q=1"
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			named = weight
		case "*":
			other = weight
		}
	}
	if named == "" {
		named = other
	}
	_, q, _ := strings.Cut(named, "=")
	return strings.Trim(q, "0. ") != ""
}

// modify changes an answer by its head alone: to wait for a first piece of the
// body would hold the head back.
func (i *injection) modify(res *http.Response) {
	if res.StatusCode == http.StatusNotModified {
		keepWeak(res)
		return
	}
	coding := strings.ToLower(res.Header.Get("Content-Encoding"))
	zipped := coding == "gzip" || coding == "x-gzip"
	if !isPage(res) || coding != "" && coding != "identity" && !zipped {
		return
	}
	h := res.Header
	for _, key := range []string{"Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		h.Del(key)
	}
	if h.Get("Accept-Ranges") != "" {
		h.Set("Accept-Ranges", "none") // they would be those of another body
	}
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h.Set("ETag", "W/"+tag)
	}
	if res.Request.Method == http.MethodHead {
		return
	}
	if zipped {
		res.Body = i.recode(res.Body, res.ContentLength < 0)
	} else {
		res.Body = &injected{Reader: res.Body, Closer: res.Body}
	}
}

// isPage tells by the head of an answer whether its body may be a page.
func isPage(res *http.Response) bool {
	switch {
	case res.StatusCode < 200,
		res.StatusCode == http.StatusNoContent,
		res.StatusCode == http.StatusResetContent,
		res.StatusCode == http.StatusPartialContent,
		res.ContentLength == 0 && res.Request.Method != http.MethodHead:
		return false
	}
	h := res.Header
	// A parameter that cannot be read leaves the type.
	mediaType, parameters, _ := mime.ParseMediaType(h.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	return mediaType == "text/html" &&
		!strings.HasPrefix(charset, "utf-16") && !strings.HasPrefix(charset, "utf-32") &&
		!strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Get("Content-Disposition"))), "attachment") &&
		!strings.Contains(strings.ToLower(strings.Join(h["Cache-Control"], ",")), "no-transform")
}

// keepWeak answers a question for a tag that modify has made weak with that one.
func keepWeak(res *http.Response) {
	tag := res.Header.Get("ETag")
	if tag != "" && strings.Contains(strings.Join(res.Request.Header["If-None-Match"], ","), "W/"+tag) {
		res.Header.Set("ETag", "W/"+tag)
	}
}

// An injected body is a page with bannerTags in its head. Nothing of it waits
// for what comes behind it, but the beginning of a tag whose name is not
// complete.
type injected struct {
	io.Reader
	io.Closer
	search search
	ready  []byte // comes before anything else is read
	done   bool   // with the search
	err    error  // comes behind ready
}

// pieceLength is how much is looked at at once.
const pieceLength = 4 << 10

func (b *injected) Read(p []byte) (int, error) {
	for len(b.ready) == 0 && b.err == nil && !b.done && len(p) > 0 {
		piece := make([]byte, pieceLength)
		n, err := b.Reader.Read(piece)
		before, after, f := b.search.feed(piece[:n])
		b.ready = append(b.ready[:0], before...)
		if f == found {
			b.ready = append(append(b.ready, bannerTags...), after...)
		}
		if err != nil && f == unknown {
			b.ready = append(b.ready, b.search.kept()...)
		}
		b.done, b.err = f != unknown, err
	}
	switch {
	case len(b.ready) > 0:
		n := copy(p, b.ready)
		b.ready = b.ready[n:]
		return n, nil
	case b.err != nil:
		return 0, b.err
	default:
		return b.Reader.Read(p)
	}
}
