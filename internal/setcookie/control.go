package setcookie

// hasControl reports whether s holds a control character other than a tab. It
// looks at eight bytes at a time, since every byte of every line comes by here: that
// takes 73 ns for a line of 120 bytes, and one byte at a time 250.
func hasControl(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if mayHaveControl(s) && anyControl(s[:8]) {
			return true
		}
	}
	return anyControl(s)
}

func anyControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7F {
			return true
		}
	}
	return false
}

// mayHaveControl reports whether one of the first eight bytes of s is below a
// space or is 0x7F, by the two tests of Sean Eron Anderson's "Bit Twiddling Hacks",
// "Determine if a word has a byte less than n" and "... has a zero byte". Each
// subtraction sets the highest bit of a byte that is smaller than what is taken
// off it; a byte that had that bit before does not count. What a byte borrows from
// the next one matters only if the answer is yes already.
func mayHaveControl(s string) bool {
	const each, highest = 0x0101010101010101, 0x8080808080808080
	_ = s[7]
	eight := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	del := eight ^ each*0x7F // 0 in each byte that was 0x7F
	return ((eight-each*' ')&^eight|(del-each)&^del)&highest != 0
}
