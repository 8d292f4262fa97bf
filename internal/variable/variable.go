// Package variable finds what differs in names that are otherwise alike.
package variable

// MaxName is the length of the longest name that [Part] looks at, in bytes.
const MaxName = 256

// Part returns which part of a name looks as though it were another for each
// visitor, session or account: numbers, hexadecimal digits, GUIDs, base64.
// name[:from] and name[to:] stay; ok is false if there is no such part, too
// little around it for a pattern that means something, or if the name is too long.
func Part(name string) (from, to int, ok bool) {
	if len(name) > MaxName {
		return 0, 0, false
	}
	from = -1
	strong := false
	for begin := 0; begin < len(name); {
		end := wordEnd(name, begin)
		word := name[begin:end]
		c := count(word)
		if at := random(word, c); at >= 0 {
			if from < 0 {
				from = begin + at
			}
			to = end
			strong = strong || c.digits > 0 && c.mixedCase()
		}
		begin = end + 1
	}
	if from < 0 {
		return 0, 0, false
	}
	if strong {
		if f, t := widen(name, from, to); t-f >= minBase64 && means(name, f, t) {
			from, to = f, t
		}
	}
	return from, to, means(name, from, to)
}

// MixedCase reports whether s, a part of a name that is no longer than MaxName, holds
// letters in both cases.
func MixedCase(s string) bool { return len(s) <= MaxName && count(s).mixedCase() }

// minBase64 is the length from which fragments between '-' and '_' may be one
// value in base64url.
const minBase64 = 16

// widen takes in the fragments next to a random part that are no words: base64url
// has '-' and '_' among its digits.
func widen(name string, from, to int) (int, int) {
	for to < len(name) {
		end := wordEnd(name, to+1)
		if !fragment(name[to+1 : end]) {
			break
		}
		to = end
	}
	for from > 1 && separates(name[from-1]) {
		begin := from - 1
		for begin > 0 && !separates(name[begin-1]) {
			begin--
		}
		// Two letters of one case may be a word: "_ga_", "id-".
		if s := name[begin : from-1]; len(s) != 1 && !count(s).mixedCase() {
			break
		}
		from = begin
	}
	return from, to
}

// fragment reports whether s is no word: short, or of letters in either case.
func fragment(s string) bool { return len(s) <= 3 || count(s).mixedCase() }

// means reports whether a pattern without name[from:to] says more than '*': it
// holds two letters or digits, one of them a letter.
func means(name string, from, to int) bool {
	letters, others := 0, 0
	for i := range len(name) {
		if i >= from && i < to {
			continue
		}
		switch kinds[name[i]] {
		case lower, upper:
			letters++
		case digit:
			others++
		}
	}
	return letters > 0 && letters+others >= 2
}

// random returns where in s, a word between separators, the part begins that looks
// random: 0 for all of it, more if a word stands before a number, and -1 if
// nothing does.
func random(s string, c census) int {
	switch {
	case s == "":
		return -1
	case c.digits == len(s):
		return 0
	case c.hex == len(s):
		if len(s) >= 8 || len(s) >= 4 && c.digits > 0 {
			return 0
		}
		return -1
	case c.digits == 0:
		// Letters alone are words, but for those that change their case as no
		// camelCase does, or that nobody could say.
		if len(s) >= 8 && (c.mixedCase() && c.changes*3 >= len(s) && c.vowels*4 < len(s) || c.vowels*6 < len(s)) {
			return 0
		}
		return -1
	case c.changes == 1 && kinds[s[0]] != digit && len(s)-c.digits >= 3 && c.vowels > 0:
		return len(s) - c.digits // "step12"
	case len(s) >= 4:
		return 0
	default:
		return -1 // "v2"
	}
}

// A census counts the bytes of a word by what they are. What is beyond ASCII
// counts as a lower-case letter.
type census struct {
	digits, lowers, uppers, hex, vowels int
	changes                             int // from one kind to another
}

func (c census) mixedCase() bool { return c.lowers > 0 && c.uppers > 0 }

// count counts all of it at once, each in some bits of one sum: names come by the
// million.
func count(s string) census {
	if s == "" {
		return census{}
	}
	var sum uint64
	changes := 0
	last := kinds[s[0]]
	for i := range len(s) {
		sum += weights[s[i]]
		kind := kinds[s[i]]
		changes += int(differs[kind^last])
		last = kind
	}
	part := func(i int) int { return int(sum >> (i * countBits) & (1<<countBits - 1)) }
	return census{digits: part(digit), lowers: part(lower), uppers: part(upper), hex: part(hex), vowels: part(vowel), changes: changes}
}

func wordEnd(s string, begin int) int {
	for begin < len(s) && !separates(s[begin]) {
		begin++
	}
	return begin
}

func separates(b byte) bool { return kinds[b] == separator }

// What a byte is: one of the first four, and perhaps one of the others.
const (
	separator = iota
	lower
	upper
	digit
	hex
	vowel
)

// countBits is enough for each count of a name, which is no longer than MaxName.
const countBits = 10

var differs = [4]uint8{0, 1, 1, 1}

// kinds says what a byte is, and weights what it adds to a sum: one to each part
// that counts it.
var kinds, weights = func() (kinds [256]uint8, weights [256]uint64) {
	for b := range 256 {
		switch {
		case b >= '0' && b <= '9':
			kinds[b] = digit
		case b >= 'A' && b <= 'Z':
			kinds[b] = upper
		case b >= 'a' && b <= 'z', b >= 0x80:
			kinds[b] = lower
		}
		if kinds[b] != separator {
			weights[b] = 1 << (countBits * kinds[b])
		}
	}
	for _, b := range []byte("0123456789abcdefABCDEF") {
		weights[b] += 1 << (countBits * hex)
	}
	for _, b := range []byte("aeiouyAEIOUY") {
		weights[b] += 1 << (countBits * vowel)
	}
	return kinds, weights
}()
