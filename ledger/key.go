package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// A key is a UUID: of a row, or a visitor's reference. The zero key is NULL.
type key [16]byte

// newKey returns a UUIDv7 (RFC 9562, section 5.7) of that time.
func newKey(at int64) key {
	var k key
	rand.Read(k[6:]) // never fails
	at = min(max(at, 0), 1<<48-1)
	var time [8]byte
	binary.BigEndian.PutUint64(time[:], uint64(at))
	copy(k[:6], time[2:])
	k[6] = k[6]&0x0f | 0x70
	k[8] = k[8]&0x3f | 0x80
	return k
}

// firstKey returns the lowest key of that time.
func firstKey(at int64) key {
	k := newKey(at)
	clear(k[7:])
	k[6], k[8] = 0x70, 0x80
	return k
}

// time returns the time of a UUIDv7, in milliseconds since 1970.
func (k key) time() int64 {
	return int64(binary.BigEndian.Uint64(append([]byte{0, 0}, k[:6]...)))
}

// String returns k in the form that RFC 9562 gives to UUIDs.
func (k key) String() string {
	h := hex.EncodeToString(k[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// MarshalText returns what String does.
func (k key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText returns.
func (k *key) UnmarshalText(text []byte) error { return k.Scan(string(text)) }

// Scan reads what either database holds as a key.
func (k *key) Scan(value any) error {
	var text string
	switch v := value.(type) {
	case nil:
		*k = key{}
		return nil
	case [16]byte:
		*k = v
		return nil
	case []byte:
		if len(v) == len(k) {
			copy(k[:], v)
			return nil
		}
		text = string(v)
	case string:
		text = v
	}
	digits := strings.ReplaceAll(text, "-", "")
	if len(digits) != hex.EncodedLen(len(k)) {
		return fmt.Errorf("a key of type %T is no UUID", value)
	}
	_, err := hex.Decode(k[:], []byte(digits))
	return err
}
