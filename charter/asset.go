package charter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// An asset is a file with a hash of its content in its name, so that browsers can
// cache it without end.
type asset struct {
	name, contentType string
	content           []byte
}

func newAsset(name, extension, contentType string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{name + "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + extension, contentType, content}
}

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, "public, max-age=31536000, immutable")
}

// serveRevalidated serves a under a fixed name, for static pages: browsers ask each
// time whether their copy is current.
func (a asset) serveRevalidated(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, "public, no-cache")
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, caching string) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("ETag", `"`+a.name+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
}

// sourceOf returns the hash of what stands in a page, as a Content-Security-Policy names it
// (CSP Level 3, section 2.3.1).
func sourceOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
