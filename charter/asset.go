package charter

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// An asset is a file whose name changes with its content, so that browsers keep
// it for good.
type asset struct {
	name, contentType string
	content           []byte
}

func newAsset(name, extension, contentType string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{name + "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + extension, contentType, content}
}

func (a asset) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // an error is the visitor's leaving
}
