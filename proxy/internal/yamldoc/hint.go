package yamldoc

import "strings"

// hints say how to mend what the parser stumbles over most often, by words of its message.
var hints = []struct{ message, hint string }{
	{"unknown anchor", `a text that begins with "*" stands in quotation marks`},
	{"expected alphabetic or numeric character", `a text that begins with "*" or "&" stands in quotation marks`},
	{"mapping values are not allowed", `a text that holds ": " stands in quotation marks`},
	{"expected ',' or '}'", `a text that holds ": " or one of ",[]{}" stands in quotation marks`},
	{"expected ',' or ']'", `a text that holds one of ",[]{}" stands in quotation marks`},
	{"cannot start any token", "a text that begins with \"@\", \"`\" or \"%\" stands in quotation marks"},
}

// withHint adds to what the parser says how it is mended, if that is known. Line is the line
// that it has in mind.
func withHint(message, line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if strings.Contains(indent, "\t") {
		return message + "; a tab cannot indent: write spaces"
	}
	for _, h := range hints {
		if strings.Contains(message, h.message) {
			return message + "; " + h.hint
		}
	}
	return message
}
