package survey

import (
	"bytes"
	"context"
	"net/url"
	"strings"
)

// robots are the rules of robots.txt that are for every robot (RFC 9309).
type robots []robotRule

type robotRule struct {
	path  string
	allow bool
}

func (w *walk) readRobots(ctx context.Context, v *visitor) robots {
	text, err := v.get(ctx, w.URL.ResolveReference(&url.URL{Path: "/robots.txt"}))
	if err != nil || !bytes.Contains(bytes.ToLower(text), []byte("user-agent")) {
		return nil // there is none (RFC 9309 section 2.3.1.3)
	}
	return parseRobots(string(text))
}

func parseRobots(text string) (rules robots) {
	ours, named := false, false // the group is for every robot; its lines of names go on
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "user-agent":
			ours = named && ours || value == "*"
			named = true
		case "allow", "disallow":
			named = false
			if ours && value != "" {
				rules = append(rules, robotRule{value, len(key) < len("disallow")})
			}
		}
	}
	return rules
}

// allow reports what the longest rule that fits says; allow wins between two as long.
func (r robots) allow(path string) bool {
	allowed, longest := true, -1
	for _, rule := range r {
		if n := len(rule.path); fits(rule.path, path) && (n > longest || n == longest && rule.allow) {
			allowed, longest = rule.allow, n
		}
	}
	return allowed
}

// fits reports whether a path begins as a rule says, in which "*" is anything and a "$" at
// the end is the end.
func fits(rule, path string) bool {
	rule, whole := strings.CutSuffix(rule, "$")
	parts := strings.Split(rule, "*")
	rest, begins := strings.CutPrefix(path, parts[0])
	if !begins {
		return false
	}
	for i, part := range parts[1:] {
		if whole && i == len(parts)-2 {
			return strings.HasSuffix(rest, part)
		}
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return !whole || rest == ""
}
