package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
)

// A FailOn says which findings make a scan fail. The zero FailOn is "warning". Make it
// with [ParseFailOn].
type FailOn struct {
	nothing bool
	least   finding.Level   // empty: warning
	checks  []finding.Check // if there are any, these alone
}

// ParseFailOn reads "error", "warning" or "note", each with all that is graver, "none", or
// a list of checks such as "undeclared,left-behind". The error names each unknown one, and
// those that there are.
func ParseFailOn(s string) (FailOn, error) {
	if s = strings.TrimSpace(s); s == "none" {
		return FailOn{nothing: true}, nil
	}
	if slices.Contains(levels, finding.Level(s)) {
		return FailOn{least: finding.Level(s)}, nil
	}
	var f FailOn
	var unknown []string
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); slices.Contains(Checks(), finding.Check(name)) {
			f.checks = append(f.checks, finding.Check(name))
		} else {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if unknown == nil {
		return f, nil
	}
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = string(c.name)
	}
	return FailOn{}, fmt.Errorf("no check is named %s; there are %s; or one of error, warning, note and none by itself",
		strings.Join(unknown, ", "), strings.Join(names, ", "))
}

// Fails reports whether one of the findings makes the scan fail.
func Fails(findings []finding.Finding, on FailOn) bool {
	least := slices.Index(levels, on.least)
	if least < 0 {
		least = slices.Index(levels, finding.Warning)
	}
	return slices.ContainsFunc(findings, func(f finding.Finding) bool {
		switch {
		case on.nothing:
			return false
		case on.checks != nil:
			return slices.Contains(on.checks, f.Check)
		default:
			return slices.Index(levels, f.Level) <= least
		}
	})
}
