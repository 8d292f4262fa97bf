package inject

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// A page with the tag is another representation than the site's: of another length, with
// other bytes at each offset, and with another strong validator (RFC 9110 section 8.8.1).

// markChanged makes the head of a page that of the page with the tag. The length is the
// new one, "" if it is not known.
func markChanged(h http.Header, length string) {
	for _, key := range []string{"Content-Length", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		delete(h, key)
	}
	if length != "" {
		h["Content-Length"] = []string{length}
	}
	if len(h["Accept-Ranges"]) > 0 {
		h["Accept-Ranges"] = []string{"none"} // they would be those of another body
	}
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		h["Etag"] = []string{"W/" + tag}
	}
}

// keepWeak is for an answer of 304, which says nothing of its type: if it names a tag that
// markChanged has made weak, it names it in that form (RFC 9110 section 15.4.5).
func keepWeak(asked, h http.Header) {
	tag := h.Get("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		return
	}
	for list := strings.Join(asked["If-None-Match"], ","); list != ""; {
		var has string
		if has, list = nextTag(list); has == "W/"+tag {
			markChanged(h, "")
			return
		}
	}
}

// nextTag cuts the first tag off a list. A comma may stand in a tag (RFC 9110 section
// 8.8.3).
func nextTag(list string) (tag, rest string) {
	list = strings.TrimLeft(list, " \t,")
	open := strings.IndexByte(list, '"')
	if open < 0 {
		return list, ""
	}
	end := strings.IndexByte(list[open+1:], '"')
	if end < 0 {
		return list, ""
	}
	end += open + 2
	return list[:end], list[end:]
}

// isPartOfPage reports whether an answer of 206 has parts of a page, so that they do not
// belong to the page with the tag. It may read the beginning of the body, and puts it back.
func isPartOfPage(res *http.Response) bool {
	kind := res.Header.Get("Content-Type")
	if !hasPrefixFold(kind, "multipart/byteranges") {
		return mayBePage(res.Header)
	}
	head := make([]byte, maxPartHead)
	n, err := io.ReadFull(res.Body, head)
	head = head[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false // the visitor's read will fail too
	}
	res.Body = &prefixed{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
	fields, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\r\n\r\n"))
	for line := range bytes.Lines(bytes.ToLower(fields)) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) == "content-type" {
			return bytes.HasPrefix(bytes.TrimSpace(value), []byte("text/html"))
		}
	}
	return false
}

// maxPartHead is how much of parts is looked at: a boundary and a few fields.
const maxPartHead = 1 << 10

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

type prefixed struct {
	io.Reader
	io.Closer
}

// askForWhole asks the site once more, for the whole page: a server need not heed a Range
// (RFC 9110 section 14.2), and it has meaning for GET alone, which may be repeated.
func askForWhole(res *http.Response, again http.RoundTripper) error {
	whole := res.Request.Clone(res.Request.Context())
	withoutRange(whole.Header)
	_ = res.Body.Close() // what is left of it
	answer, err := again.RoundTrip(whole)
	if err != nil {
		return err
	}
	*res = *answer
	return nil
}
