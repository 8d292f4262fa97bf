// Package inject adds a tag to the head of the pages of a site, such as the script that
// draws a banner. It does so while a page streams, plain or compressed.
//
//	pages := inject.New(`<script src="/cookies/script.js" defer></script>`)
//	handler := pages.Wrap(site)
//
// A reverse proxy, in which an [http.Response] passes by, calls [Injection.PrepareRequest]
// and [Injection.ModifyResponse] instead.
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
// text/html that begin like a page, with a doctype, <html> or <head>, whole, plain or
// compressed with gzip, Brotli or Zstandard. It leaves alone other codings, text in UTF-16, downloads
// (Content-Disposition: attachment) and what says "Cache-Control: no-transform"
// (RFC 9111 section 5.2.2.6). A Content-Security-Policy of the page must allow
// 'self' for scripts.
//
// What a browser has kept from before, it goes on showing for as long as the
// site says that nothing has changed. The filter does not depend on it.
type Injection struct {
	tag        []byte
	recoders   [len(codings)]sync.Pool // of *recoder, for each coding
	beginnings sync.Pool               // of *beginning
	streams    sync.Pool               // of *splice.Stream
}

// A beginning is lent to a page while its beginning is looked at.
type beginning [pieceLength]byte

// New returns an injection of a tag, such as "<script src=/cookies/script.js defer></script>".
func New(tag string) *Injection { return &Injection{tag: []byte(tag)} }

// PrepareRequest makes a request one whose answer can be added to: of the codings that the
// browser accepts it asks for those that can be read here. What is no page, as browsers say
// in Sec-Fetch-Dest, may come in others too.
func (i *Injection) PrepareRequest(r *http.Request) {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame", "embed", "object", "empty":
	default:
		return
	}
	if accepted := r.Header["Accept-Encoding"]; len(accepted) > 0 {
		r.Header["Accept-Encoding"] = []string{readable(accepted)}
	}
}

// ModifyResponse changes an answer by its head, and by the beginning of its body only
// if that does not hold the head back. A page of gzip whose length is known and at most
// 14,600 bytes is read as a whole, so that its length is known again. If a part of a page
// comes, it asks again, by the transport by which the answer came, for the whole page: the
// part is none of the page with the tag. The error is that of the transport.
func (i *Injection) ModifyResponse(res *http.Response, again http.RoundTripper) error {
	if res.StatusCode == http.StatusNotModified {
		keepWeak(res.Request.Header, res.Header)
		return nil
	}
	if res.StatusCode == http.StatusPartialContent && res.Request.Method == http.MethodGet && isPartOfPage(res) {
		if err := askForWhole(res, again); err != nil {
			return err
		}
	}
	c, known := codingOf(res.Header)
	if !known || !hasPage(res.StatusCode) || !mayBePage(res.Header) ||
		res.ContentLength == 0 && res.Request.Method != http.MethodHead {
		return nil
	}
	length := ""
	switch {
	case res.Request.Method == http.MethodHead:
	case c != nil:
		res.Body = i.compressed(res.Body, c, res.ContentLength < 0)
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
	markChanged(res.Header, length)
	return nil
}

// inject returns a page with the tag in its head.
func (i *Injection) inject(body io.ReadCloser, gathered bool) *injected {
	lent, ok := i.beginnings.Get().(*beginning)
	if !ok {
		lent = new(beginning)
	}
	return &injected{Reader: body, Closer: body, tag: i.tag, search: search{tail: lent[:0]}, injection: i, lent: lent, gathered: gathered}
}

// hasPage reports whether an answer with this status may have a whole page.
func hasPage(status int) bool {
	switch status {
	case http.StatusNoContent, http.StatusResetContent, http.StatusPartialContent, http.StatusNotModified:
		return false
	}
	return status >= 200
}

// mayBePage tells by the head of an answer whether its body may be a page.
func mayBePage(h http.Header) bool {
	kind := h.Get("Content-Type")
	if !hasPrefixFold(kind, "text/html") {
		return false
	}
	return isReadableHTML(kind) &&
		!strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Get("Content-Disposition"))), "attachment") &&
		!strings.Contains(strings.ToLower(strings.Join(h["Cache-Control"], ",")), "no-transform")
}

// isReadableHTML reports whether a Content-Type is HTML in a charset of which ASCII is a part.
func isReadableHTML(kind string) bool {
	switch kind {
	case "text/html", "text/html; charset=utf-8", "text/html; charset=UTF-8", "text/html;charset=utf-8", "text/html;charset=UTF-8":
		return true // as nearly always: 2.5 µs a page (BenchmarkPage) and not 2.9
	}
	// A parameter that cannot be read leaves the type.
	mediaType, parameters, _ := mime.ParseMediaType(kind)
	charset := strings.ToLower(parameters["charset"])
	return mediaType == "text/html" && !strings.HasPrefix(charset, "utf-16") && !strings.HasPrefix(charset, "utf-32")
}
