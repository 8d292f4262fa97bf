package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// again is how many times the package of a test that came out differently is
// run again, both ways.
const again = 5

// A difference is a test whose outcome with the middleware is not the bare one.
type difference struct {
	test             string // its package and name
	pkg              string
	bare, interposed []string // the outcomes, the first run's first
	output           string   // of the test, the way that it failed
}

// differences returns the tests that came out differently, by name, and the
// packages that did although none of their tests did.
func differences(bare, interposed results) []difference {
	names := make(map[string]bool)
	for name := range bare {
		names[name] = true
	}
	for name := range interposed {
		names[name] = true
	}
	var found []difference
	explained := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if b, i := bare[name], interposed[name]; b.outcome != i.outcome {
			d := difference{test: name, pkg: cmp.Or(b.pkg, i.pkg), bare: []string{b.outcome}, interposed: []string{i.outcome}}
			if i.outcome == "fail" {
				d.output = i.output
			} else if b.outcome == "fail" {
				d.output = b.output
			}
			found = append(found, d)
			if d.test != d.pkg {
				explained[d.pkg] = true
			}
		}
	}
	return slices.DeleteFunc(found, func(d difference) bool { return d.test == d.pkg && explained[d.pkg] })
}

// flaky reports whether chance explains the difference: bare, the test came out
// the other way as well, or run again it came out the same in each run of both
// ways.
func (d difference) flaky() bool {
	if slices.Contains(d.bare, d.interposed[0]) {
		return true
	}
	rerun := slices.Concat(d.bare[1:], d.interposed[1:])
	return len(rerun) > 0 && len(slices.Compact(slices.Clone(rerun))) == 1
}

// String is what is printed: the outcomes, the first run's first, and what the
// test said.
func (d difference) String() string {
	verdict := "DIFFERS"
	if d.flaky() {
		verdict = "flaky"
	}
	line := func(outcomes []string) (s string) {
		for _, outcome := range outcomes {
			s += " " + cmp.Or(outcome, "-")
		}
		return s
	}
	return fmt.Sprintf("%s: %s: bare%s, interposed%s\n%.3000s", verdict, d.test, line(d.bare), line(d.interposed), d.output)
}

// packagesOf returns those that hold the tests, each once.
func packagesOf(found []difference) []string {
	packages := make(map[string]bool)
	for _, d := range found {
		packages[d.pkg] = true
	}
	return slices.Sorted(maps.Keys(packages))
}
