package splice

import "encoding/binary"

// peek returns the bits at a position, of which 57 are known if as many have been read.
func (s *Stream) peek(at int) uint64 {
	return binary.LittleEndian.Uint64(s.in[at>>3:]) >> (at & 7)
}

// has reports whether everything before a position has been read.
func (s *Stream) has(at int) bool { return at <= s.end*8 }

// The types of a block.
const (
	isStored  = 0
	isFixed   = 1
	isDynamic = 2
)

// A head of a block is where it stands and what type it has.
type head struct {
	at, until int // in bits
	kind      uint64
}

// parseBlock reads the head of a block, and moves on behind it. A head that has not been
// read to its end is left.
func (s *Stream) parseBlock() (kind uint64, err error) {
	if s.again != nil && s.again.at == s.pos {
		known := s.again
		s.again = nil
		s.pos = known.until
		return known.kind, nil
	}
	if !s.has(s.pos + 3) {
		return 0, errShort
	}
	s.last.at = -1 // what it has read is written over
	b := s.peek(s.pos)
	begin := s.pos
	kind = b >> 1 & 3
	s.header = append(s.header[:0], field{kind << 1, 3}) // not the final one: something may be put behind it
	at := s.pos + 3
	switch kind {
	case isStored:
		at = (at + 7) &^ 7
		if !s.has(at + 32) {
			return 0, errShort
		}
		length := s.peek(at)
		if length&0xffff != ^length>>16&0xffff {
			return 0, ErrCorrupt
		}
		s.stored = int(length & 0xffff)
		at += 32
	case isFixed:
		s.literal, s.away = fixedLiteral, fixedAway
	case isDynamic:
		if at, err = s.parseTables(at); err != nil {
			return 0, err
		}
		s.literal, s.away = &s.own[0], &s.own[1]
	default:
		return 0, ErrCorrupt
	}
	s.isFinal = b&1 != 0
	s.pos = at
	s.last = head{begin, at, kind}
	return kind, nil
}

// The order in which the lengths of the codes for lengths come.
var orderOfLengths = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// parseTables reads the alphabets of a block (RFC 1951 section 3.2.7).
func (s *Stream) parseTables(at int) (int, error) {
	take := func(count uint) uint {
		b := s.peek(at) & (1<<count - 1)
		s.header = append(s.header, field{b, count})
		at += int(count)
		return uint(b)
	}
	if !s.has(at + 14 + 19*3) { // no page ends sooner behind this
		return 0, errShort
	}
	literals, distances, codes := take(5)+257, take(5)+1, take(4)+4
	if literals > maxLiterals-2 || distances > maxDistances-2 {
		return 0, ErrCorrupt
	}
	var of [19]uint8
	for _, symbol := range orderOfLengths[:codes] {
		of[symbol] = uint8(take(3))
	}
	t := &s.own[0]
	if !t.build(of[:], quickDistance) {
		return 0, ErrCorrupt
	}
	clear(s.lengths[:])
	for i := uint(0); i < literals+distances; {
		symbol, length := t.decode(s.peek(at))
		if !s.has(at + int(length) + 7) {
			return 0, errShort
		}
		if length == 0 {
			return 0, ErrCorrupt
		}
		take(length)
		times, value := uint(1), uint8(symbol)
		switch symbol {
		case 16:
			if i == 0 {
				return 0, ErrCorrupt
			}
			times, value = 3+take(2), s.lengths[i-1]
		case 17:
			times, value = 3+take(3), 0
		case 18:
			times, value = 11+take(7), 0
		}
		if i+times > literals+distances {
			return 0, ErrCorrupt
		}
		for range times {
			s.lengths[i] = value
			i++
		}
	}
	if s.lengths[endOfBlock] == 0 || !s.own[0].build(s.lengths[:literals], quickLiteral) || !s.own[1].build(s.lengths[literals:literals+distances], quickDistance) {
		return 0, ErrCorrupt
	}
	return at, nil
}

// A code is a literal, a copy or the end of a block, as it stands in a stream.
type code struct {
	field
	symbol   uint // of the literal, endOfBlock, or more for a copy
	length   uint // of a copy
	distance uint
	head     uint // bits of the field before the distance
}

// parse reads the next code. It does not move on.
func (s *Stream) parse() (code, error) {
	b := s.peek(s.pos)
	symbol, count := s.literal.decode(b)
	c := code{symbol: symbol}
	switch {
	case count == 0:
		return c, s.shortOr(maxCode)
	case symbol > endOfBlock:
		symbol -= endOfBlock + 1
		if symbol >= uint(len(lengthBase)) {
			return c, s.shortOr(maxCode)
		}
		extra := lengthBits[symbol]
		c.length = lengthBase[symbol] + uint(b>>count)&(1<<extra-1)
		count += extra
		c.head = count
		symbol, length := s.away.decode(b >> count)
		if length == 0 || symbol >= uint(len(distanceBase)) {
			return c, s.shortOr(count + maxCode)
		}
		count += length
		extra = distanceBits[symbol]
		c.distance = distanceBase[symbol] + uint(b>>count)&(1<<extra-1)
		count += extra
	}
	if !s.has(s.pos + int(count)) {
		return c, errShort
	}
	c.field = field{b & (1<<count - 1), count}
	return c, nil
}

// shortOr tells what is corrupt from what has not been read.
func (s *Stream) shortOr(count uint) error {
	if !s.has(s.pos + int(count)) {
		return errShort
	}
	return ErrCorrupt
}
