package splice

import (
	"encoding/binary"
	"slices"
)

// An output takes bits, the lowest first.
type output struct {
	bytes []byte
	bits  uint64
	count uint // less than 8
}

// put adds up to 56 bits.
func (o *output) put(bits uint64, count uint) {
	o.bits |= bits << o.count
	o.count += count
	o.bytes = binary.LittleEndian.AppendUint64(o.bytes, o.bits)
	whole := o.count >> 3
	o.bytes = o.bytes[:len(o.bytes)-8+int(whole)]
	o.bits >>= whole * 8
	o.count &= 7
}

// fill adds the bits between two positions of in, but less than 48 at the end, and returns
// where those begin. It is put for many bits.
func (o *output) fill(in []byte, from, until int) int {
	const atOnce = 48
	o.bytes = slices.Grow(o.bytes, (until-from)/8+8)
	to, bits := o.bytes[len(o.bytes):cap(o.bytes)], o.bits
	n := 0
	for ; from+atOnce <= until; from += atOnce {
		b := binary.LittleEndian.Uint64(in[from>>3:]) >> (from & 7)
		bits |= b & (1<<atOnce - 1) << o.count
		binary.LittleEndian.PutUint64(to[n:], bits)
		bits >>= atOnce
		n += atOnce / 8
	}
	o.bytes, o.bits = o.bytes[:len(o.bytes)+n], bits
	return from
}

// end fills up the last byte.
func (o *output) end() {
	if o.count > 0 {
		o.put(0, 8-o.count)
	}
}

func (o *output) append32(v uint32) { o.bytes = binary.LittleEndian.AppendUint32(o.bytes, v) }
