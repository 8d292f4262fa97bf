// Package signature signs the value of a cookie as gorilla/securecookie does,
// without encryption, and verifies it in the time that one HMAC takes.
//
// What is signed is "name|date|payload" (the date in seconds since 1970, the
// payload in base64), and what travels is "date|payload|mac" in base64 again.
// securecookie itself signs. Its Decode computes the part of the HMAC that
// depends on the key anew for each value, which is two thirds of the work; a
// verifier here keeps that part. A fuzz test compares the two.
package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/securecookie"
)

// A Signer signs the values of one cookie and verifies them. It is safe for
// concurrent use.
type Signer struct {
	name  string
	age   time.Duration
	first *securecookie.SecureCookie // signs
	keys  []sync.Pool                // of *verifier, for each key: all verify
}

// New returns a Signer for the named cookie. The first key signs, all verify. A
// signature is good for an age, which is counted in whole seconds.
func New(name string, keys [][]byte, age time.Duration) *Signer {
	s := &Signer{
		name: name,
		age:  age.Truncate(time.Second),
		// Its own limit of age concerns Decode alone, which is not called.
		first: securecookie.New(bytes.Clone(keys[0]), nil).
			SetSerializer(securecookie.NopEncoder{}).
			MaxLength(maxCookie - len(name)),
		keys: make([]sync.Pool, len(keys)),
	}
	for i, key := range keys {
		key = bytes.Clone(key)
		s.keys[i].New = func() any { return &verifier{mac: hmac.New(sha256.New, key)} }
	}
	return s
}

// maxCookie is how many bytes of name and value browsers store (RFC 6265bis
// section 5.6).
const maxCookie = 4096

// Sign returns the value that carries a payload. The error says that it is
// longer than browsers store.
func (s *Signer) Sign(payload []byte) (string, error) {
	return s.first.Encode(s.name, bytes.Clone(payload))
}

// Verify appends to dst the payload of a value that one of the keys has signed, no
// longer than an age before now. ok is false for every other value.
func (s *Signer) Verify(dst []byte, value string, now time.Time) (payload []byte, ok bool) {
	if len(value) > maxCookie-len(s.name) {
		return nil, false
	}
	for i := range s.keys {
		v := s.keys[i].Get().(*verifier)
		date, payload, ok := v.verify(dst, s.name, value)
		s.keys[i].Put(v)
		if ok && now.Unix()-date <= int64(s.age/time.Second) {
			return payload, true
		}
	}
	return nil, false
}

// A verifier does the work for one key and one value at a time.
type verifier struct {
	mac     hash.Hash
	sum     [sha256.Size]byte
	message []byte // what is signed: name|date|payload
}

func (v *verifier) verify(dst []byte, name, value string) (date int64, payload []byte, ok bool) {
	message := append(append(v.message[:0], name...), '|')
	message, err := base64.URLEncoding.AppendDecode(message, []byte(value))
	v.message = message
	if err != nil {
		return 0, nil, false
	}
	digits, rest, ok1 := bytes.Cut(message[len(name)+1:], []byte("|"))
	encoded, mac, ok2 := bytes.Cut(rest, []byte("|"))
	if !ok1 || !ok2 {
		return 0, nil, false
	}
	v.mac.Reset()
	v.mac.Write(message[:len(message)-len(mac)-1])
	if !hmac.Equal(v.mac.Sum(v.sum[:0]), mac) { // in constant time
		return 0, nil, false
	}
	if date, err = strconv.ParseInt(string(digits), 10, 64); err != nil {
		return 0, nil, false
	}
	payload, err = base64.URLEncoding.AppendDecode(dst, encoded)
	return date, payload, err == nil
}

// ClaimedDate returns the date that a value says it was signed at, in seconds
// since 1970, and 0 if it says none. Nothing vouches for it.
func ClaimedDate(value string) int64 {
	var head [15]byte
	n, _ := base64.URLEncoding.Decode(head[:], []byte(value[:min(len(value), 20)]))
	digits, _, _ := strings.Cut(string(head[:n]), "|")
	date, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return date
}
