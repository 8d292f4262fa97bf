// Package account is the signed cookie by which a browser remembers that its visitor is
// signed in to an account of the site, and what had been decided in it before. What lies
// above it asks whose account that is, and what its user has decided elsewhere.
//
//	version  1 byte, 1
//	flags    1 byte; bits 0 to 3: SignedIn, Tell, Conflict, Unlinked
//	who      16 bytes
//	times    3 of 8 bytes each: Looked, Decided, Holds, in milliseconds since 1970; 0 for none
//	told     1 byte, how many, at most 16; and 8 bytes for each
//	foreign  2 bytes, how many; and 4 bytes for each
//	before   until the end
package account

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// A Tag stands for an account. It is keyed, so that the cookie tells nobody whose it is.
type Tag [16]byte

// A Mark stands for something that an account has been told in this browser.
type Mark [8]byte

// A State is what a browser remembers. The zero State is that of one in which nobody has
// ever signed in.
type State struct {
	SignedIn bool
	Who      Tag // the zero Tag if the site does not say

	Looked  time.Time // when the account was asked last
	Decided time.Time // the account's decision that applies here; zero if none is known
	Holds   time.Time // of the decision that the browser has; zero for none

	Tell     bool // a notice is to be shown
	Conflict bool // and it says that browser and account differ
	Unlinked bool // the account may not know of the decision yet

	Told    []Mark   // the oldest first; they outlive the sign-out
	Foreign []uint32 // marks of the answers that apply here and are the browser's alone; [Objection] among them
	Before  []byte   // the decision of the browser before the sign-in, encoded; nil for none
}

// Objection is what stands in Foreign for an objection to anonymous statistics. It is the
// mark of no provider: those end in two bits that are zero.
const Objection uint32 = 1

const (
	version = 1
	maxTold = 16
	fixed   = 2 + len(Tag{}) + 3*8 + 1
)

// The flags of a state.
const (
	signedIn = 1 << iota
	tell
	conflict
	unlinked
)

// HasTold reports whether one of the marks is among Told.
func (s *State) HasTold(marks []Mark) bool {
	return slices.ContainsFunc(s.Told, func(m Mark) bool { return slices.Contains(marks, m) })
}

// NoteTold makes a mark the newest of Told, and forgets the oldest if there are too many.
func (s *State) NoteTold(mark Mark) {
	s.Told = slices.DeleteFunc(slices.Clone(s.Told), func(m Mark) bool { return m == mark })
	s.Told = append(s.Told, mark)
	s.Told = s.Told[max(0, len(s.Told)-maxTold):]
}

// Append appends s, encoded, to b.
func (s *State) Append(b []byte) []byte {
	var flags byte
	for i, is := range [...]bool{s.SignedIn, s.Tell, s.Conflict, s.Unlinked} {
		if is {
			flags |= signedIn << i
		}
	}
	b = append(append(b, version, flags), s.Who[:]...)
	for _, t := range []time.Time{s.Looked, s.Decided, s.Holds} {
		var ms int64
		if !t.IsZero() {
			ms = max(0, t.UnixMilli())
		}
		b = binary.BigEndian.AppendUint64(b, uint64(ms))
	}
	told := s.Told[max(0, len(s.Told)-maxTold):]
	b = append(b, byte(len(told)))
	for _, mark := range told {
		b = append(b, mark[:]...)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Foreign)))
	for _, mark := range s.Foreign {
		b = binary.BigEndian.AppendUint32(b, mark)
	}
	return append(b, s.Before...)
}

// ErrMalformed is what [Parse] answers to bytes that no State encodes to.
var ErrMalformed = errors.New("malformed state of an account")

// maxMilliseconds is the end of the year 9999.
const maxMilliseconds = 253402300799999

// Parse decodes what [State.Append] made. Bytes that it would not have made are an error.
func Parse(b []byte) (State, error) {
	if len(b) < fixed || b[0] != version || b[1] > signedIn|tell|conflict|unlinked {
		return State{}, ErrMalformed
	}
	s := State{SignedIn: b[1]&signedIn != 0, Tell: b[1]&tell != 0, Conflict: b[1]&conflict != 0, Unlinked: b[1]&unlinked != 0}
	b = b[2:]
	b = b[copy(s.Who[:], b):]
	for _, t := range []*time.Time{&s.Looked, &s.Decided, &s.Holds} {
		ms := binary.BigEndian.Uint64(b)
		if b = b[8:]; ms > maxMilliseconds {
			return State{}, ErrMalformed
		}
		if ms > 0 {
			*t = time.UnixMilli(int64(ms))
		}
	}
	n := int(b[0])
	if b = b[1:]; n > maxTold || len(b) < n*len(Mark{}) {
		return State{}, ErrMalformed
	}
	for range n {
		var mark Mark
		b = b[copy(mark[:], b):]
		s.Told = append(s.Told, mark)
	}
	if len(b) < 2 {
		return State{}, ErrMalformed
	}
	n = int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < 4*n {
		return State{}, ErrMalformed
	}
	for range n {
		s.Foreign = append(s.Foreign, binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) > 0 {
		s.Before = slices.Clone(b)
	}
	return s, nil
}
