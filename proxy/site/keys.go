package site

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/cookiecharter/consent/internal/joined"
)

// minKey is how long a key is at least, as consent.Config wants it.
const minKey = 32

// NewKey makes a key. Decisions that it signs are lost with it.
func NewKey() []byte {
	key := make([]byte, minKey)
	rand.Read(key) // never fails
	return key
}

// ReadKeys reads a file of keys: see [ParseKeys]. Its errors name the file too.
func ReadKeys(file string) ([][]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := ParseKeys(content)
	var mistakes []error
	for _, err := range joined.Split(err) {
		mistakes = append(mistakes, fmt.Errorf("%s, %w", file, err))
	}
	return keys, errors.Join(mistakes...)
}

// ParseKeys reads keys, one per line, as they stand there but for blanks around them; the
// first signs. Each has at least 32 bytes. The error joins every mistake; it names the line
// and never shows what stands in it.
func ParseKeys(text []byte) ([][]byte, error) {
	var keys [][]byte
	var mistakes []error
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		key := bytes.TrimSpace(line)
		switch {
		case len(key) == 0:
			mistakes = append(mistakes, fmt.Errorf("line %d: is blank; each line is a key", i+1))
		case len(key) < minKey:
			mistakes = append(mistakes, fmt.Errorf("line %d: has %d bytes; a key has at least %d, such as \"openssl rand -hex 32\" prints", i+1, len(key), minKey))
		default:
			keys = append(keys, key)
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return keys, nil
}
