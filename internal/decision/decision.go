// Package decision is the form in which a visitor's decision travels: what the
// signature of the preferences cookie is made over, and what a page's script
// reads from it.
//
//	version   1 byte, 1
//	revision  unsigned varint
//	time      unsigned varint, milliseconds since 1970
//	flags     1 byte; bit 0: objection to anonymous statistics; bit 1: a reference follows
//	reference 16 bytes, or none
//	marks     4 bytes for each, until the end
//
// Varints are those of [encoding/binary]. A mark stands for a provider of a
// category that the visitor has answered for, in big-endian order: 30 bits of a
// hash over category and provider, then two for the answer: 0 for no, 1 for yes, 2 for
// a yes that a law had presumed, 3 for a yes to this provider alone. Marks are sorted, so equal decisions have equal bytes.
//
// The mark of a category with no provider says no if the visitor has refused something in
// it. A mark instead of the names keeps the cookie small. Two providers share a mark once in
// a thousand million pairs; a registry refuses such two.
package decision

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

const version = 1

// A Decision is what a visitor answered, and when. The zero Decision answers
// nothing.
type Decision struct {
	Revision  uint64
	Time      time.Time // in whole milliseconds
	Objection bool      // to anonymous statistics
	Reference [16]byte  // under which the visitor's decisions are recorded; zero for none
	Answers   Answers
}

// A Mark stands for one provider of one category.
type Mark uint32

// MarkOf returns the mark of a provider of a category.
func MarkOf(category, provider string) Mark {
	sum := sha256.Sum256([]byte(category + "\x00" + provider))
	return Mark(binary.BigEndian.Uint32(sum[:])) &^ answer
}

// An Answer is what a visitor has said about one provider.
type Answer uint8

const (
	No     Answer = iota
	Yes           // by themselves
	Ticked        // they have saved what a law had presumed
	Alone         // by themselves, to this provider and to no question about its category
)

// answer are the bits of a mark that hold one.
const answer = 3

const markSize = 4

// The flags of a decision.
const (
	objection = 1 << iota
	referred  // a reference follows
)

// ErrMalformed is what [Parse] answers to bytes that no Decision encodes to.
var ErrMalformed = errors.New("malformed decision")

// Answers are marks as they travel.
type Answers []byte

// MakeAnswers returns the answers for these marks.
func MakeAnswers(given map[Mark]Answer) Answers {
	marks := make([]Mark, 0, len(given))
	for m, a := range given {
		marks = append(marks, m|Mark(a))
	}
	slices.Sort(marks)
	var answers Answers
	for _, m := range marks {
		answers = binary.BigEndian.AppendUint32(answers, uint32(m))
	}
	return answers
}

// Of returns the answer for the provider that m stands for; known is false if
// there is none.
func (a Answers) Of(m Mark) (given Answer, known bool) {
	low, high := 0, len(a)/markSize
	for low < high {
		middle := (low + high) / 2
		got := a.at(middle)
		switch {
		case got&^answer == m:
			return Answer(got & answer), true
		case got&^answer < m:
			low = middle + 1
		default:
			high = middle
		}
	}
	return No, false
}

// AllNo reports whether there are answers to questions, and each is no.
func (a Answers) AllNo() bool {
	answered := false
	for i := range len(a) / markSize {
		switch Answer(a.at(i) & answer) {
		case No:
			answered = true
		case Alone: // nobody has asked
		default:
			return false
		}
	}
	return answered
}

func (a Answers) at(i int) Mark {
	return Mark(binary.BigEndian.Uint32(a[i*markSize:]))
}

// ordered reports whether a is what MakeAnswers makes of some marks.
func (a Answers) ordered() bool {
	for i := range len(a) / markSize {
		if i > 0 && a.at(i-1)|answer >= a.at(i) {
			return false
		}
	}
	return len(a)%markSize == 0
}

// Append appends d, encoded, to b.
func (d *Decision) Append(b []byte) []byte {
	b = append(b, version)
	b = binary.AppendUvarint(b, d.Revision)
	b = binary.AppendUvarint(b, uint64(d.Time.UnixMilli()))
	var flags byte
	if d.Objection {
		flags = objection
	}
	if d.Reference == ([16]byte{}) {
		b = append(b, flags)
	} else {
		b = append(append(b, flags|referred), d.Reference[:]...)
	}
	return append(b, d.Answers...)
}

// Parse decodes what [Decision.Append] made; the Decision keeps a part of b.
// Bytes that Append would not have made are an error.
func Parse(b []byte) (Decision, error) {
	var d Decision
	if len(b) == 0 || b[0] != version {
		return Decision{}, ErrMalformed
	}
	revision, b, ok1 := cutUvarint(b[1:])
	milliseconds, b, ok2 := cutUvarint(b)
	if !ok1 || !ok2 || milliseconds > maxMilliseconds || len(b) == 0 || b[0] > objection|referred {
		return Decision{}, ErrMalformed
	}
	d.Revision = revision
	d.Time = time.UnixMilli(int64(milliseconds))
	flags, b := b[0], b[1:]
	d.Objection = flags&objection != 0
	if flags&referred != 0 {
		n := copy(d.Reference[:], b)
		if b = b[n:]; n < len(d.Reference) || d.Reference == ([16]byte{}) {
			return Decision{}, ErrMalformed
		}
	}
	d.Answers = b
	if !d.Answers.ordered() {
		return Decision{}, ErrMalformed
	}
	return d, nil
}

// maxMilliseconds is the end of the year 9999.
const maxMilliseconds = 253402300799999

// cutUvarint refuses the longer forms that a number also has.
func cutUvarint(b []byte) (v uint64, after []byte, ok bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}
