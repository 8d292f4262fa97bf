package main

import (
	"cmp"
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
	output           string   // of the interposed test that came out differently
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
			found = append(found, difference{test: name, pkg: cmp.Or(b.pkg, i.pkg), bare: []string{b.outcome}, interposed: []string{i.outcome}, output: i.output})
			if b.test || i.test {
				explained[cmp.Or(b.pkg, i.pkg)] = true
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

// packagesOf returns those that hold the tests, each once.
func packagesOf(found []difference) []string {
	packages := make(map[string]bool)
	for _, d := range found {
		packages[d.pkg] = true
	}
	return slices.Sorted(maps.Keys(packages))
}
