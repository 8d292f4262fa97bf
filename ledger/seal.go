package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// minKey is what RFC 2104, section 3, asks of a key.
const minKey = sha256.Size

// A sealer seals rows, so that who has the database alone can make none: see
// Config.Keys. The zero value has no key, and makes no seals.
type sealer struct {
	keys [][]byte
}

// newSealer checks the keys of a Config. The error names all that are none.
func newSealer(keys [][]byte) (sealer, error) {
	var mistakes []error
	s := sealer{}
	for i, k := range keys {
		switch {
		case len(k) < minKey:
			mistakes = append(mistakes, fmt.Errorf("ledger: Keys[%d] has %d bytes; a key has at least %d", i, len(k), minKey))
		case bytes.Count(k, []byte{0}) == len(k):
			mistakes = append(mistakes, fmt.Errorf("ledger: Keys[%d] is all zero; fill it from crypto/rand, or from your secrets", i))
		}
		s.keys = append(s.keys, slices.Clone(k))
	}
	return s, errors.Join(mistakes...)
}

// can reports that there is a key.
func (s sealer) can() bool { return len(s.keys) > 0 }

// seal returns the seal of what was hashed or written, by the first key; nil without one.
func (s sealer) seal(sealed fields) []byte {
	if !s.can() {
		return nil
	}
	return authenticate(s.keys[0], sealed)
}

// holds reports whether a seal was made by one of the keys.
func (s sealer) holds(seal []byte, sealed fields) bool {
	return len(seal) > 0 && slices.ContainsFunc(s.keys, func(k []byte) bool { return hmac.Equal(seal, authenticate(k, sealed)) })
}

func authenticate(k []byte, sealed fields) []byte {
	h := hmac.New(sha256.New, k)
	h.Write(sealed)
	return h.Sum(nil)
}
