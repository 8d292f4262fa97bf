package splice

// decodeBeginning decodes the beginning of the page into text, from its first byte on. It
// returns nil if that is as much as is wanted, or all that is compressed.
func (s *Stream) decodeBeginning(wanted int) error {
	length, err := s.headerLength()
	if err != nil {
		return err
	}
	s.text, s.pos = s.text[:0], length*8
	for {
		kind, err := s.parseBlock()
		if err != nil {
			return err
		}
		if kind == isStored {
			if s.stored > 0 || s.isFinal {
				return nil // text that is not compressed is not looked at
			}
			continue // a flush
		}
		for {
			c, err := s.parse()
			if err != nil {
				return err
			}
			s.pos += int(c.count)
			if c.symbol == endOfBlock {
				break
			}
			if err := s.expand(c); err != nil {
				return err
			}
			if len(s.text) >= wanted {
				return nil
			}
		}
		if s.isFinal {
			return nil
		}
	}
}

func (s *Stream) expand(c code) error {
	if c.symbol < endOfBlock {
		s.text = append(s.text, byte(c.symbol))
		return nil
	}
	from := len(s.text) - int(c.distance)
	if from < 0 {
		return ErrCorrupt
	}
	for i := range int(c.length) { // which may be more than the distance
		s.text = append(s.text, s.text[from+i])
	}
	return nil
}
