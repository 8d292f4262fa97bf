package splice

import (
	"math/bits"
	"slices"
)

const (
	maxCode      = 15 // bits
	maxLiterals  = 288
	maxDistances = 32
	endOfBlock   = 256

	// Bits of a code that are looked up at once. Nearly all codes are as short, and a table
	// for longer ones takes longer to make than it saves.
	quickLiteral  = 10
	quickDistance = 8
)

// A table decodes the codes of an alphabet, and encodes some of them.
type table struct {
	quick   uint
	lookup  [1 << quickLiteral]uint16 // the symbol, and in the last 4 bits the length of its code; 0 for a longer one or none
	lengths []uint8
	starts  [maxCode + 1]uint16 // the first code of each length
	counts  [maxCode + 1]uint16
	order   [maxLiterals]uint16 // symbols by length, then by value
}

// build makes the table of an alphabet, in which each symbol has a code of this length, 0
// for none (RFC 1951 section 3.2.2). It returns false if there are no such codes.
func (t *table) build(lengths []uint8, quick uint) bool {
	t.quick = quick
	lookup := t.lookup[:1<<quick]
	t.lengths = lengths
	t.counts = [maxCode + 1]uint16{}
	for _, length := range lengths {
		t.counts[length]++
	}
	t.counts[0] = 0
	var offsets [maxCode + 1]uint16
	code, free := uint16(0), 1
	for length := 1; length <= maxCode; length++ {
		code = (code + t.counts[length-1]) << 1
		t.starts[length] = code
		offsets[length] = offsets[length-1] + t.counts[length-1]
		if free = free<<1 - int(t.counts[length]); free < 0 {
			return false // more codes than there are
		}
	}
	clear(lookup)
	next := t.starts
	used := 0
	for symbol, length := range lengths {
		if length == 0 {
			continue
		}
		used++
		t.order[offsets[length]] = uint16(symbol)
		offsets[length]++
		if uint(length) <= quick {
			entry := uint16(symbol)<<4 | uint16(length)
			for i := int(reverse(next[length], uint(length))); i < len(lookup); i += 1 << length {
				lookup[i] = entry
			}
		}
		next[length]++
	}
	return free == 0 || used <= 1 // one code alone, or none, leaves others free
}

// decode returns the symbol that bits begin with, and the length of its code; 0 if they
// begin with none.
func (t *table) decode(b uint64) (symbol, length uint) {
	if entry := t.lookup[b&(1<<t.quick-1)&(1<<quickLiteral-1)]; entry != 0 {
		return uint(entry >> 4), uint(entry & 15)
	}
	code, index := uint(0), uint(0)
	for length := uint(1); length <= maxCode; length++ {
		code |= uint(b & 1)
		b >>= 1
		count := uint(t.counts[length])
		if start := uint(t.starts[length]); code >= start && code < start+count {
			return uint(t.order[index+code-start]), length
		}
		index += count
		code <<= 1
	}
	return 0, 0
}

// isLiteral reports whether what is looked up is a literal.
func isLiteral(entry uint16) bool { return entry-1 < endOfBlock<<4-1 }

// encode returns the code of a symbol as it stands in a stream; length 0 if there is none.
func (t *table) encode(symbol uint) field {
	if symbol >= uint(len(t.lengths)) || t.lengths[symbol] == 0 {
		return field{}
	}
	length := t.lengths[symbol]
	code := t.starts[length]
	for _, other := range t.lengths[:symbol] {
		if other == length {
			code++
		}
	}
	return field{uint64(reverse(code, uint(length))), uint(length)}
}

func reverse(code uint16, length uint) uint16 { return bits.Reverse16(code) >> (16 - length) }

// The alphabets of blocks that bring none (RFC 1951 section 3.2.6).
var (
	fixedLiteral = newTable(quickLiteral, slices.Concat(slices.Repeat([]uint8{8}, 144), slices.Repeat([]uint8{9}, 112), slices.Repeat([]uint8{7}, 24), slices.Repeat([]uint8{8}, 8)))
	fixedAway    = newTable(quickDistance, slices.Repeat([]uint8{5}, maxDistances))
	fixedCodes   = codesOf(fixedLiteral)
)

func newTable(quick uint, lengths []uint8) *table {
	t := new(table)
	t.build(lengths, quick)
	return t
}

// codesOf returns the code of each symbol.
func codesOf(t *table) (codes [maxLiterals]field) {
	for symbol := range codes {
		codes[symbol] = t.encode(uint(symbol))
	}
	return codes
}

// Lengths and distances of copies: the least for each symbol, and how many bits are added
// (RFC 1951 section 3.2.5).
var (
	lengthBase   = [...]uint{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits   = [...]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceBase = [...]uint{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceBits = [...]uint{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// An amount is the least that a symbol stands for, and how many bits are added; base 0 for no
// symbol.
type amount struct {
	base uint32
	bits uint8
}

// The same by symbol, for every value of five bits, so that none has to be checked first.
var (
	lengths   = amounts(lengthBase[:], lengthBits[:])
	distances = amounts(distanceBase[:], distanceBits[:])
)

func amounts(base, bits []uint) (of [maxDistances]amount) {
	for symbol := range base {
		of[symbol] = amount{uint32(base[symbol]), uint8(bits[symbol])}
	}
	return of
}

// symbolOf returns the symbol for a length or a distance.
func symbolOf(base []uint, value uint) uint {
	for symbol := len(base) - 1; ; symbol-- {
		if base[symbol] <= value {
			return uint(symbol)
		}
	}
}
