package splice

import "encoding/binary"

// maxDistance is how far back a copy reaches.
const maxDistance = 32 << 10

// copyBlock copies the head of a block.
func (s *Stream) copyBlock() error {
	kind, err := s.parseBlock()
	if err != nil {
		return err
	}
	if kind == isStored {
		s.out.put(0, 3)
		s.out.end()
		s.out.append32(uint32(s.stored) | ^uint32(s.stored)<<16)
		s.step = (*Stream).copyStored
		return nil
	}
	s.beginBlock()
	s.step = (*Stream).copyCodes
	return nil
}

func (s *Stream) beginBlock() {
	for _, f := range s.header {
		s.out.put(f.bits, f.count)
	}
}

// copyStored copies what of a stored block has been read.
func (s *Stream) copyStored() error {
	at := s.pos >> 3
	n := min(s.stored, s.end-at)
	if n == 0 && s.stored > 0 {
		return errShort
	}
	s.out.bytes = append(s.out.bytes, s.in[at:at+n]...)
	s.pos += n * 8
	s.written += uint64(n)
	if s.stored -= n; s.stored == 0 {
		s.endBlock()
	}
	return nil
}

func (s *Stream) endBlock() {
	if !s.isFinal {
		s.step = (*Stream).copyBlock
		return
	}
	s.out.put(1|isFixed<<1, 3) // the final block, with nothing in it
	s.putFixed(endOfBlock)
	s.step = (*Stream).copyTrailer
}

// copyCodes copies the codes of a block, as many as have been read. What stays as it is is
// copied in one go, up to the next code that does not.
func (s *Stream) copyCodes() error {
	same := s.pos // where the bits begin that are not copied yet
	copySame := func() {
		s.copyBits(same, s.pos)
		same = s.pos
	}
	for (s.pos-same)>>3 < enough {
		if s.done {
			s.skipSame()
		}
		c, err := s.parse()
		if err != nil {
			copySame()
			return err
		}
		if !s.done && s.reaches(c) {
			copySame()
			s.insert(c)
			same = s.pos
			continue
		}
		at := s.written
		switch {
		case c.symbol < endOfBlock:
			s.written++
		case c.symbol == endOfBlock:
			s.pos += int(c.count)
			copySame()
			s.endBlock()
			return nil
		case uint64(c.distance) > at:
			return ErrCorrupt
		default:
			s.written += uint64(c.length)
			if s.done && s.straddles(at, c.distance) {
				copySame()
				s.lengthen(c, int(at)-int(c.distance))
				s.pos += int(c.count)
				same = s.pos
				continue
			}
		}
		s.pos += int(c.count)
	}
	copySame()
	return nil
}

// straddles reports whether a copy leads from behind the place to before it.
func (s *Stream) straddles(at uint64, distance uint) bool {
	return at < uint64(s.place+maxDistance) && at-uint64(distance) < uint64(s.place)
}

// skipSame moves on over codes that stay as they are, until one comes that is not the
// simplest: it is for speed alone, and whatever it leaves copyCodes reads. A load has 57
// bits at least, and two literals and a copy that are looked up at once have 56 at most.
func (s *Stream) skipSame() {
	const most = 64 // bits that a load may take
	in, pos, written, place := s.in, s.pos, s.written, uint64(s.place)
	literal, away := &s.literal.lookup, &s.away.lookup
	for last := min(s.end*8-most, s.pos+enough*8); pos < last; {
		b := binary.LittleEndian.Uint64(in[pos>>3:]) >> (pos & 7)
		entry := literal[b&(1<<quickLiteral-1)]
		if isLiteral(entry) {
			pos += int(entry & 15)
			written++
			b >>= entry & 15
			if entry = literal[b&(1<<quickLiteral-1)]; isLiteral(entry) {
				pos += int(entry & 15)
				written++
				b >>= entry & 15
				if entry = literal[b&(1<<quickLiteral-1)]; isLiteral(entry) {
					pos += int(entry & 15)
					written++
					continue
				}
			}
		}
		length := &lengths[(entry>>4-endOfBlock-1)%maxDistances]
		if length.base == 0 { // the end of the block, or nothing that is looked up at once
			break
		}
		count := uint(entry & 15)
		n := length.base + uint32(b>>count)&(1<<length.bits-1)
		count += uint(length.bits)
		entry = away[b>>count&(1<<quickDistance-1)]
		distance := &distances[entry>>4%maxDistances]
		if entry == 0 || distance.base == 0 {
			break
		}
		count += uint(entry & 15)
		d := distance.base + uint32(b>>count)&(1<<distance.bits-1)
		if written < place+uint64(d) { // it leads to before the place
			break
		}
		written += uint64(n)
		pos += int(count + uint(distance.bits))
	}
	s.pos, s.written = pos, written
}

// copyBits copies the bits between two positions.
func (s *Stream) copyBits(from, until int) {
	from = s.out.fill(s.in, from, until)
	if rest := uint(until - from); rest > 0 {
		s.out.put(s.peek(from)&(1<<rest-1), rest)
	}
}

// reaches reports whether the place is before a code or in the midst of its text.
func (s *Stream) reaches(c code) bool {
	return int(s.written) == s.place || c.symbol > endOfBlock && int(s.written)+int(c.length) > s.place
}

// insert puts in what is added. If the place is in the midst of a copy, its text is written
// as it is.
func (s *Stream) insert(c code) {
	before, after := s.text[s.written:s.place], s.text[:0]
	if int(s.written) < s.place {
		after = s.text[s.place : int(s.written)+int(c.length)]
		s.written += uint64(c.length)
		s.pos += int(c.count)
	}
	s.interrupt(func() {
		for _, text := range [][]byte{before, s.added, after} {
			s.putText(text)
		}
	})
	s.done = true
}

// lengthen writes a copy of what is before the place, from behind it.
func (s *Stream) lengthen(c code, from int) {
	until := min(from+int(c.length), s.place)
	rest := c.length - uint(until-from) // of what is behind the place
	distance := c.distance + uint(len(s.added))
	if rest == 0 && distance <= maxDistance {
		symbol := symbolOf(distanceBase[:], distance)
		if code := s.away.encode(symbol); code.count > 0 {
			s.out.put(c.bits&(1<<c.head-1), c.head)
			s.out.put(code.bits, code.count)
			s.out.put(uint64(distance-distanceBase[symbol]), distanceBits[symbol])
			return
		}
	}
	s.interrupt(func() {
		s.putText(s.text[from:until])
		if rest < 3 {
			s.putText(s.text[s.place : s.place+int(rest)])
		} else {
			s.putCopy(rest, c.distance)
		}
	})
}

// interrupt ends the block, writes one with alphabets that have every code, and begins the
// block again.
func (s *Stream) interrupt(write func()) {
	end := s.literal.encode(endOfBlock)
	s.out.put(end.bits, end.count)
	s.out.put(isFixed<<1, 3)
	write()
	s.putFixed(endOfBlock)
	s.beginBlock()
}

func (s *Stream) putFixed(symbol uint) {
	f := fixedCodes[symbol]
	s.out.put(f.bits, f.count)
}

func (s *Stream) putText(text []byte) {
	for _, b := range text {
		s.putFixed(uint(b))
	}
}

func (s *Stream) putCopy(length, distance uint) {
	symbol := symbolOf(lengthBase[:], length)
	s.putFixed(endOfBlock + 1 + symbol)
	s.out.put(uint64(length-lengthBase[symbol]), lengthBits[symbol])
	symbol = symbolOf(distanceBase[:], distance)
	f := fixedAway.encode(symbol)
	s.out.put(f.bits, f.count)
	s.out.put(uint64(distance-distanceBase[symbol]), distanceBits[symbol])
}
