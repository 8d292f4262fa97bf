package splice

// Sums are polynomials over GF(2), modulo that of CRC-32 (RFC 1952 section 8).

const polynomial = 0xedb88320 // its bits in reverse order

// multiply returns a times b.
func multiply(a, b uint32) uint32 {
	var product uint32
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&1 != 0 {
			b = b>>1 ^ polynomial
		} else {
			b >>= 1
		}
	}
	return product
}

// shiftSum returns what becomes of a difference between two sums, if so many bytes that are
// the same follow.
func shiftSum(sum uint32, length uint64) uint32 {
	power := uint32(1 << 23) // x to the 8th: a byte
	for ; length > 0; length >>= 1 {
		if length&1 != 0 {
			sum = multiply(power, sum)
		}
		power = multiply(power, power)
	}
	return sum
}
