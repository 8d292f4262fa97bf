// Package inject adds a tag to the head of the pages of a site, such as the script that
// draws a banner.
package inject

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// An Injection adds a tag to pages, with any status: to answers of the type
// text/html that begin like a page (see search), whole, plain or compressed with
// gzip. It leaves alone other codings, text in UTF-16, downloads
// (Content-Disposition: attachment) and what says "Cache-Control: no-transform"
// (RFC 9111 section 5.2.2.6). A Content-Security-Policy of the page must allow
// 'self' for scripts.
//
// What a browser has kept from before, it goes on showing for as long as the
// site says that nothing has changed. The filter does not depend on it.
type Injection struct {
	tag string
	recoders
	beginnings sync.Pool // of *beginning
}

// A beginning is lent to a page while its beginning is looked at.
type beginning [pieceLength]byte

// New returns an injection of a tag, such as "<script src=/cookies/script.js defer></script>".
func New(tag string) *Injection { return &Injection{tag: tag} }

// PrepareRequest makes a request one whose answer can be added to. Browsers and sites have
// gzip in common, and pages go through it both ways here; so other codings are
// asked for only by what is no page, as browsers say in Sec-Fetch-Dest.
func (i *Injection) PrepareRequest(r *http.Request) {
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

// ModifyResponse changes an answer by its head, and by the beginning of its body only
// where that does not hold the head back.
func (i *Injection) ModifyResponse(res *http.Response) error {
	if res.StatusCode == http.StatusNotModified {
		keepWeak(res)
		return nil
	}
	coding := strings.ToLower(res.Header.Get("Content-Encoding"))
	zipped := coding == "gzip" || coding == "x-gzip"
	if !isPage(res) || coding != "" && coding != "identity" && !zipped {
		return nil
	}
	length := ""
	switch {
	case res.Request.Method == http.MethodHead:
	case zipped:
		res.Body = i.recode(res.Body, i.tag, res.ContentLength < 0)
	default:
		page := i.inject(res.Body, res.ContentLength >= 0)
		res.Body = page
		if res.ContentLength < 0 {
			break
		}
		switch page.begin() {
		case none:
			return nil
		case found:
			length = strconv.FormatInt(res.ContentLength+int64(len(i.tag)), 10)
		}
	}
	h := res.Header
	for _, key := range []string{"Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		h.Del(key)
	}
	if length != "" {
		h.Set("Content-Length", length)
	}
	if h.Get("Accept-Ranges") != "" {
		h.Set("Accept-Ranges", "none") // they would be those of another body
	}
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h.Set("ETag", "W/"+tag)
	}
	return nil
}

// inject returns a page with the tag in its head.
func (i *Injection) inject(body io.ReadCloser, gathered bool) *injected {
	lent, ok := i.beginnings.Get().(*beginning)
	if !ok {
		lent = new(beginning)
	}
	giveBack := func() { i.beginnings.Put(lent) }
	return &injected{Reader: body, Closer: body, tag: i.tag, search: search{tail: lent[:0]}, giveBack: giveBack, gathered: gathered}
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

// keepWeak answers a question for a tag that ModifyResponse has made weak with that one.
func keepWeak(res *http.Response) {
	tag := res.Header.Get("ETag")
	if tag != "" && strings.Contains(strings.Join(res.Request.Header["If-None-Match"], ","), "W/"+tag) {
		res.Header.Set("ETag", "W/"+tag)
	}
}
