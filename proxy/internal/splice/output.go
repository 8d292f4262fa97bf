package splice

import "encoding/binary"

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

// end fills up the last byte.
func (o *output) end() {
	if o.count > 0 {
		o.put(0, 8-o.count)
	}
}

func (o *output) append32(v uint32) { o.bytes = binary.LittleEndian.AppendUint32(o.bytes, v) }
