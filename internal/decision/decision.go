// Package decision is the form in which a visitor's decision travels: what the
// signature of the preferences cookie is made over, and what a page's script
// reads from it.
//
//	version     1 byte, 1
//	revision    unsigned varint
//	time        unsigned varint, milliseconds since 1970
//	flags       1 byte; bit 0: objects to anonymous statistics
//	categories, each:
//	  name      1 byte of length, then the name
//	  marks     unsigned varint of their number, then 3 bytes for each
//
// Varints are those of [encoding/binary]. A mark stands for a provider of the
// category that the visitor has answered for, in big-endian order: 23 bits of a
// hash over category and provider, then one bit that is set where the answer
// was yes. Marks are sorted, so equal decisions have equal bytes.
//
// A mark instead of a provider's name keeps the cookie small. Two providers of
// one category share a mark once in eight million pairs; they are then
// answered for together, and with yes only where both answers were.
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
	Revision   uint64
	Time       time.Time // in whole milliseconds
	Objects    bool      // to anonymous statistics
	categories []byte    // as they travel
}

// A Mark stands for one provider of one category.
type Mark uint32

// MarkOf returns the mark of a provider of a category.
func MarkOf(category, provider string) Mark {
	sum := sha256.Sum256([]byte(category + "\x00" + provider))
	return Mark(sum[0])<<16 | Mark(sum[1])<<8 | Mark(sum[2]&^allowed)
}

// allowed is the bit of a mark that says yes.
const allowed = 1

const markSize = 3

// ErrMalformed is what [Parse] answers to bytes that no Decision encodes to.
var ErrMalformed = errors.New("malformed decision")

// Answer adds the answers for the providers of one category. It is called once
// for a category, whose name is at most 255 bytes long.
func (d *Decision) Answer(category string, yes, no []Mark) {
	marks := make([]Mark, 0, len(yes)+len(no))
	for _, m := range yes {
		marks = append(marks, m|allowed)
	}
	marks = append(marks, no...)
	slices.Sort(marks)
	// Of two equal marks the one that says no comes first, and stays.
	marks = slices.CompactFunc(marks, func(a, b Mark) bool { return a&^allowed == b&^allowed })

	d.categories = append(d.categories, byte(len(category)))
	d.categories = append(d.categories, category...)
	d.categories = binary.AppendUvarint(d.categories, uint64(len(marks)))
	for _, m := range marks {
		d.categories = append(d.categories, byte(m>>16), byte(m>>8), byte(m))
	}
}

// Answers returns what d answers for the providers of a category.
func (d *Decision) Answers(category string) Answers {
	for rest := d.categories; len(rest) > 0; {
		name, marks, after, _ := cutCategory(rest)
		if string(name) == category {
			return marks
		}
		rest = after
	}
	return nil
}

// Answers are the answers for the providers of one category.
type Answers []byte

// Of returns the answer for the provider that m stands for; known is false
// where there is none.
func (a Answers) Of(m Mark) (yes, known bool) {
	low, high := 0, len(a)/markSize
	for low < high {
		middle := (low + high) / 2
		got := a.at(middle)
		switch {
		case got&^allowed == m:
			return got&allowed != 0, true
		case got&^allowed < m:
			low = middle + 1
		default:
			high = middle
		}
	}
	return false, false
}

func (a Answers) at(i int) Mark {
	a = a[i*markSize:]
	return Mark(a[0])<<16 | Mark(a[1])<<8 | Mark(a[2])
}

// Append appends d, encoded, to b.
func (d *Decision) Append(b []byte) []byte {
	b = append(b, version)
	b = binary.AppendUvarint(b, d.Revision)
	b = binary.AppendUvarint(b, uint64(d.Time.UnixMilli()))
	var flags byte
	if d.Objects {
		flags = 1
	}
	return append(append(b, flags), d.categories...)
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
	if !ok1 || !ok2 || milliseconds > maxMilliseconds || len(b) == 0 || b[0] > 1 {
		return Decision{}, ErrMalformed
	}
	d.Revision = revision
	d.Time = time.UnixMilli(int64(milliseconds))
	d.Objects = b[0] == 1
	d.categories = b[1:]
	for rest := d.categories; len(rest) > 0; {
		var ok bool
		if _, _, rest, ok = cutCategory(rest); !ok {
			return Decision{}, ErrMalformed
		}
	}
	return d, nil
}

// maxMilliseconds is the end of the year 9999.
const maxMilliseconds = 253402300799999

func cutCategory(b []byte) (name []byte, marks Answers, after []byte, ok bool) {
	if len(b) == 0 || len(b) <= int(b[0]) {
		return nil, nil, nil, false
	}
	end := 1 + int(b[0])
	name, b = b[1:end], b[end:]
	n, b, ok := cutUvarint(b)
	if !ok || n > uint64(len(b)/markSize) {
		return nil, nil, nil, false
	}
	marks = Answers(b[:n*markSize])
	for i := 1; i < int(n); i++ {
		if marks.at(i-1)|allowed >= marks.at(i) {
			return nil, nil, nil, false
		}
	}
	return name, marks, b[n*markSize:], true
}

// cutUvarint refuses the longer forms that a number also has.
func cutUvarint(b []byte) (v uint64, after []byte, ok bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}
