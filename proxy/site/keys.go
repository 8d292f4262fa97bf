package site

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
)

// minKey is how long a key is at least, as consent.Config wants it.
const minKey = 32

// ReadKeys reads a file of keys, one per line, as they stand there; the first
// signs. Without a file it makes a key for this run alone. An error names the
// line and never shows what stands in it.
func ReadKeys(file string) ([][]byte, error) {
	if file == "" {
		key := make([]byte, minKey)
		rand.Read(key)
		return [][]byte{key}, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	var keys [][]byte
	var mistakes []error
	for i, line := range bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n")) {
		key := bytes.TrimSpace(line)
		switch {
		case len(key) == 0:
			mistakes = append(mistakes, fmt.Errorf("%s, line %d: is blank; each line is a key", file, i+1))
		case len(key) < minKey:
			mistakes = append(mistakes, fmt.Errorf("%s, line %d: has %d bytes; a key has at least %d, such as \"openssl rand -hex 32\" prints",
				file, i+1, len(key), minKey))
		default:
			keys = append(keys, key)
		}
	}
	return keys, errors.Join(mistakes...)
}
