package chart

import "strings"

// widthOf returns how much room a text needs at most. A file has no say in which font is
// there.
func widthOf(s string) (w float64) {
	for _, r := range s {
		w += widthOfRune(r)
	}
	return w
}

func widthOfRune(r rune) float64 {
	switch {
	case r >= 0x2E80: // as wide as high
		return 15
	case r == 'm' || r == 'M' || r == 'w' || r == 'W' || r == '@' || r == '%':
		return 14
	case r >= 'A' && r <= 'Z' || r > 0x7F:
		return 11
	default:
		return 9
	}
}

// wrap breaks a text into rows of some width: at spaces, and words that are too long
// anywhere. An empty text is one row.
func wrap(s string, room float64) (rows []string) {
	var row []rune
	used, space := 0.0, -1
	for _, r := range strings.ReplaceAll(s, "\n", " ") {
		row = append(row, r)
		used += widthOfRune(r)
		if r == ' ' {
			space = len(row) - 1
		}
		if used <= room || len(row) == 1 {
			continue
		}
		end, next := len(row)-1, len(row)-1
		if space > 0 {
			end, next = space, space+1
		}
		rows = append(rows, string(row[:end]))
		row = append([]rune(nil), row[next:]...)
		used, space = widthOf(string(row)), -1
	}
	return append(rows, string(row))
}
