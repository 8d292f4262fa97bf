package splice

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

// copyCodes copies the codes of a block, as many as have been read.
func (s *Stream) copyCodes() error {
	for len(s.out.bytes) < enough {
		c, err := s.parse()
		if err != nil {
			return err
		}
		if !s.done && s.reaches(c) {
			s.insert(c)
			continue
		}
		s.pos += int(c.count)
		switch {
		case c.symbol < endOfBlock:
			s.written++
		case c.symbol == endOfBlock:
			s.out.put(c.bits, c.count)
			s.endBlock()
			return nil
		default:
			if uint64(c.distance) > s.written {
				return ErrCorrupt
			}
			at := s.written
			s.written += uint64(c.length)
			if s.done && at < uint64(s.place+maxDistance) && at-uint64(c.distance) < uint64(s.place) {
				s.lengthen(c, int(at)-int(c.distance))
				continue
			}
		}
		s.out.put(c.bits, c.count)
	}
	return nil
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
		symbol := symbolOf(distanceBase, distance)
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
	symbol := symbolOf(lengthBase, length)
	s.putFixed(endOfBlock + 1 + symbol)
	s.out.put(uint64(length-lengthBase[symbol]), lengthBits[symbol])
	symbol = symbolOf(distanceBase, distance)
	f := fixedAway.encode(symbol)
	s.out.put(f.bits, f.count)
	s.out.put(uint64(distance-distanceBase[symbol]), distanceBits[symbol])
}
