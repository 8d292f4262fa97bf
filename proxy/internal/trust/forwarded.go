package trust

import "strings"

// followForwarded is follow for Forwarded (RFC 7239). Protocol and host are those of the
// element that has the visitor.
func (h Hops) followForwarded(o *Origin, lines []string) {
	for rest := strings.Join(lines, ","); h.include(o.Chain[len(o.Chain)-1]) && rest != ""; {
		var element string
		rest, element = lastElement(rest)
		if strings.TrimSpace(element) == "" {
			continue
		}
		pairs, valid := parseElement(element)
		if !valid {
			return
		}
		o.believeProto(pairs["proto"])
		o.believeHost(pairs["host"])
		addr, known := parseNode(pairs["for"])
		if !known {
			return
		}
		o.Chain = append(o.Chain, addr)
	}
}

// lastElement cuts the last element off a list. It reads from the end, since a quote that
// a visitor has opened and not closed would otherwise hide what comes behind it.
func lastElement(list string) (rest, element string) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"' && !isEscaped(list, i):
			quoted = !quoted
		case list[i] == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return "", list
}

// isEscaped reports whether an odd number of backslashes stands before the byte at i.
func isEscaped(s string, i int) bool {
	before := strings.TrimRight(s[:i], `\`)
	return (i-len(before))%2 == 1
}

// parseElement reads the pairs of an element, by name in lower case.
func parseElement(element string) (pairs map[string]string, valid bool) {
	pairs = make(map[string]string, 4)
	for rest := strings.TrimSpace(element); rest != ""; {
		name, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, false
		}
		value, behind, valid := parseValue(after)
		if !valid {
			return nil, false
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := pairs[name]; twice {
			return nil, false // RFC 7239 section 4: each parameter once
		}
		pairs[name] = value
		behind = strings.TrimSpace(behind)
		if behind == "" {
			break
		}
		if behind[0] != ';' {
			return nil, false
		}
		rest = strings.TrimSpace(behind[1:])
	}
	return pairs, true
}

// parseValue reads a token or a quoted string (RFC 9110 section 5.6), and returns what
// stands behind it.
func parseValue(s string) (value, behind string, valid bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, "; \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
