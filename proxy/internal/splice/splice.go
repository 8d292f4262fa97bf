// Package splice puts text into a page that is compressed with gzip (RFC 1952), and does not
// compress the page again: the page stays as small as the site has made it, for a fraction
// of the time.
//
// The codes of DEFLATE (RFC 1951) are copied as they are. Before the place and behind it the
// page says "copy 8 bytes from 200 bytes before"; only where that leads from behind the
// place to before it has the distance to grow by the length of the text.
package splice

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"slices"
)

// A Stream is a page with the text. The zero value is ready for Begin. A Stream may be used
// again, for one page after the other.
type Stream struct {
	from   io.Reader
	failed error // of from: io.EOF at its end

	in  []byte // what has been read and may still be needed, and padding bytes behind it
	pos int    // in bits, of what comes next
	end int    // in bytes, of what has been read

	out  output
	sent int // bytes of out that Read has returned

	text  []byte // the beginning of the page
	added []byte // comes at place
	place int

	step    func(*Stream) error
	done    bool // added has been written
	written uint64
	isFinal bool // the current block
	stored  int  // bytes left of a stored block
	literal *table
	away    *table // distances
	own     [2]table
	header  []field // of the current block, to begin it again
	last    head    // the one that was read last
	again   *head   // that one, if the next to be read may be the same
	lengths [maxLiterals + maxDistances]uint8
}

// A field is some bits as they stand in a stream.
type field struct {
	bits  uint64
	count uint
}

const (
	padding = 8        // a load of 64 bits may reach behind the end
	atOnce  = 16 << 10 // bytes that are read at once
	enough  = 16 << 10 // bytes of out, after which Read returns
)

// ErrCorrupt means that the page is not what gzip makes.
var ErrCorrupt = errors.New("gzip: the page is corrupt")

// errShort means that more has to be read before the next step.
var errShort = errors.New("splice: more is needed")

// Begin looks for the place in the beginning of a page that from has. It reads until it has
// seen some text of the page, and until it has seen more of it than look asks for, if whole
// is true: the page then comes as a whole, and none of it waits for the visitor. It returns
// false if the place is not there, or not where Stream can put something. What has been read
// is then in Seen.
//
// Place returns where in a text the place is, or -1.
func (s *Stream) Begin(from io.Reader, added []byte, whole bool, place func(text []byte) int) bool {
	s.reset(from, added)
	s.read()
	for wanted := fewWanted; ; {
		known := s.decodeBeginning(wanted)
		if known == nil || known == errShort {
			if at := place(s.text); at >= 0 && at+margin <= len(s.text) {
				s.place = at
				break
			}
		}
		switch {
		case known == nil && len(s.text) >= wanted && wanted < mostWanted:
			wanted *= 4
		case known != errShort || s.failed != nil || !whole && len(s.text) > 0 || s.end >= atOnce:
			return false
		default:
			s.read()
		}
	}
	s.again = &s.last
	s.pos, s.text, s.step = 0, slices.Clip(s.text), (*Stream).copyHeader
	return true
}

// margin is how much text is known behind the place: a copy that is cut there may leave two
// bytes, and no copy is that short.
const margin = 2

// How much text is decoded to look for the place: nearly always the first is enough.
const (
	fewWanted  = 256
	mostWanted = 4 << 10
)

// Seen returns what Begin has read.
func (s *Stream) Seen() []byte { return bytes.Clone(s.in[:s.end]) }

func (s *Stream) reset(from io.Reader, added []byte) {
	*s = Stream{
		from: from, added: added,
		in: slices.Grow(s.in[:0], atOnce+padding)[:padding], out: output{bytes: s.out.bytes[:0]},
		text: s.text[:0], own: s.own, header: s.header[:0],
	}
}

// read adds to what has been read.
func (s *Stream) read() {
	if s.failed != nil {
		return
	}
	done := s.pos >> 3
	if s.step != nil && done > 0 { // else everything is needed once more
		copy(s.in, s.in[done:s.end])
		s.pos, s.end = s.pos&7, s.end-done
	}
	s.in = slices.Grow(s.in[:s.end], atOnce+padding)
	room := s.in[s.end : s.end+atOnce]
	n, err := s.from.Read(room)
	s.end += n
	s.failed = err
	s.in = s.in[:s.end+padding]
	clear(s.in[s.end:])
}

// Read reads the page with the text.
func (s *Stream) Read(p []byte) (int, error) {
	for len(s.out.bytes) == s.sent {
		s.out.bytes, s.sent = s.out.bytes[:0], 0
		err := s.fill()
		switch {
		case len(s.out.bytes) > 0: // what has failed fails again
		case err != errShort:
			return 0, err
		case s.failed == io.EOF:
			return 0, io.ErrUnexpectedEOF
		case s.failed != nil:
			return 0, s.failed
		default:
			s.read()
		}
	}
	n := copy(p, s.out.bytes[s.sent:])
	s.sent += n
	return n, nil
}

// fill adds to out until that is enough, or a step fails. The step can then be tried again.
func (s *Stream) fill() error {
	for len(s.out.bytes) < enough {
		if err := s.step(s); err != nil {
			return err
		}
	}
	return nil
}

// copyHeader copies what comes before the first block.
func (s *Stream) copyHeader() error {
	length, err := s.headerLength()
	if err != nil {
		return err
	}
	s.out.bytes = append(s.out.bytes, s.in[:length]...)
	s.pos, s.step = length*8, (*Stream).copyBlock
	return nil
}

// The flags of a header.
const (
	hasSum     = 1 << 1
	hasExtra   = 1 << 2
	hasName    = 1 << 3
	hasComment = 1 << 4
)

func (s *Stream) headerLength() (int, error) {
	const fixed = 10
	in := s.in[:s.end]
	if len(in) < fixed {
		return 0, errShort
	}
	if in[0] != 0x1f || in[1] != 0x8b || in[2] != 8 {
		return 0, ErrCorrupt
	}
	flags, length := in[3], fixed
	if flags&hasExtra != 0 {
		if len(in) < length+2 {
			return 0, errShort
		}
		length += 2 + int(in[length]) + int(in[length+1])<<8
	}
	for _, flag := range []byte{hasName, hasComment} {
		if flags&flag == 0 {
			continue
		}
		if length > len(in) {
			return 0, errShort
		}
		zero := bytes.IndexByte(in[length:], 0)
		if zero < 0 {
			return 0, errShort
		}
		length += zero + 1
	}
	if flags&hasSum != 0 {
		length += 2
	}
	if length > len(in) {
		return 0, errShort
	}
	return length, nil
}

// copyTrailer writes the sum and the length of the page with the text. The sum follows from
// that of the page: what is behind the place needs not be known. A wrong sum stays wrong.
func (s *Stream) copyTrailer() error {
	at := (s.pos + 7) >> 3
	const length = 8
	if s.end < at+length {
		return errShort
	}
	trailer := s.in[at : at+length]
	if littleEndian(trailer[4:]) != uint32(s.written) || !s.done {
		return ErrCorrupt
	}
	before := crc32.ChecksumIEEE(s.text[:s.place])
	with := crc32.Update(before, crc32.IEEETable, s.added)
	s.out.end()
	s.out.append32(littleEndian(trailer) ^ shiftSum(before^with, s.written-uint64(s.place)))
	s.out.append32(uint32(s.written) + uint32(len(s.added)))
	s.pos, s.step = (at+length)*8, (*Stream).copyRest
	return nil
}

// copyRest copies what is behind the page, such as another one (RFC 1952 section 2.2).
func (s *Stream) copyRest() error {
	rest := s.in[s.pos>>3 : s.end]
	if len(rest) == 0 {
		if s.failed == io.EOF {
			return io.EOF
		}
		return errShort
	}
	s.out.bytes = append(s.out.bytes, rest...)
	s.pos = s.end * 8
	return nil
}

func littleEndian(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
