package ledger

import (
	"crypto/sha256"
	"strconv"
)

// Fields are what is hashed or sealed: each is written as its length in bytes in
// decimal, a colon, and itself. Nothing but these values has the same bytes.
type fields []byte

// text adds a string, or what is null as "".
func (f fields) text(s string) fields {
	f = strconv.AppendInt(f, int64(len(s)), 10)
	return append(append(f, ':'), s...)
}

// bytes adds a hash.
func (f fields) bytes(b []byte) fields { return f.text(string(b)) }

// key adds a key as its bytes.
func (f fields) key(k key) fields {
	if k == (key{}) {
		return f.text("")
	}
	return f.text(string(k[:]))
}

// number adds a number in decimal.
func (f fields) number(n int64) fields { return f.text(strconv.FormatInt(n, 10)) }

// boolean adds "true" or "false".
func (f fields) boolean(b bool) fields { return f.text(strconv.FormatBool(b)) }

// sum returns the SHA-256 sum.
func (f fields) sum() []byte {
	sum := sha256.Sum256(f)
	return sum[:]
}
