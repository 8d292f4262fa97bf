// Command suites runs the test suites of others twice: as they are, and with
// the middleware around every handler. It prints what differs, which should be
// nothing: under this middleware every cookie may be set.
//
// Without arguments it runs all of them, which takes some minutes and the
// network; an argument picks those whose module contains it:
//
//	go run ./dev/suites
//	go run ./dev/suites gorilla echo
//
// The suites are downloaded at the versions in list.go and changed on no disk.
// The go command's -overlay has net/http's Server serve each request through
// the middleware, on HTTP/1 and HTTP/2, and puts it as well between a test and
// the handler whose ServeHTTP it calls, with a recorder or a writer of its own.
// What a test does to a part that is no handler, such as a framework's context,
// is not reached: the columns "served" and "called" say how many requests
// passed the middleware. A suite in which none did proves nothing, and counts
// as a failure.
//
// The package of a test that comes out differently is run five times more, both
// ways, before that counts as a difference: see difference.flaky. Some suites
// listen on ports such as 8080, which have to be free.
package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	picked := pick(os.Args[1:])
	if len(picked) == 0 {
		fmt.Fprintln(os.Stderr, "suites: no suite of that name")
		os.Exit(2)
	}
	same := true
	var reports []report
	for _, s := range picked {
		fmt.Fprintln(os.Stderr, "running", s.module, s.version)
		dir, err := s.download()
		var r report
		if err == nil {
			r, err = compare(s, dir)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "suites: %s: %v\n", s.module, err)
			same = false
			continue
		}
		reports = append(reports, r)
		same = same && r.same()
	}
	write(os.Stdout, reports)
	if !same {
		os.Exit(1)
	}
}

func pick(words []string) []suite {
	if len(words) == 0 {
		return suites
	}
	return slices.DeleteFunc(slices.Clone(suites), func(s suite) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(s.module, word) })
	})
}

// A report is what came of one suite.
type report struct {
	suite
	bare, interposed results
	passed           passed
	differences      []difference
}

// same reports whether the middleware was put to the test and nothing differs
// but what is flaky.
func (r report) same() bool {
	return r.passed != passed{} && !slices.ContainsFunc(r.differences, func(d difference) bool { return !d.flaky() })
}

// compare runs the suite in dir both ways.
func compare(s suite, dir string) (_ report, err error) {
	temp, err := os.MkdirTemp("", "suites-")
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if temp, err = filepath.EvalSymlinks(temp); err != nil {
		return report{}, err
	}
	b, err := newBench(temp, dir, s)
	if err != nil {
		return report{}, err
	}
	r := report{suite: s}
	if r.bare, err = b.bare(s.packages); err != nil {
		return report{}, err
	}
	if r.interposed, r.passed, err = b.interposed(s.packages); err != nil {
		return report{}, err
	}
	r.differences = differences(r.bare, r.interposed)
	if len(r.differences) == 0 {
		return r, nil
	}
	packages := packagesOf(r.differences)
	for range again {
		bare, err := b.bare(packages...)
		if err != nil {
			return report{}, err
		}
		interposed, _, err := b.interposed(packages...)
		if err != nil {
			return report{}, err
		}
		for i, d := range r.differences {
			r.differences[i].bare = append(d.bare, bare[d.test].outcome)
			r.differences[i].interposed = append(d.interposed, interposed[d.test].outcome)
		}
	}
	return r, nil
}

// write prints the table, and below it each test that differs or shows nothing.
func write(w io.Writer, reports []report) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\t\t\tbare\t\t\tinterposed\t\t\trequests")
	fmt.Fprintln(table, "suite\tversion\ttests\tpassed\tfailed\tskipped\tpassed\tfailed\tskipped\tserved\tcalled\tdiffer")
	for _, r := range reports {
		differ := 0
		for _, d := range r.differences {
			if !d.flaky() {
				differ++
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", strings.TrimPrefix(r.module, "github.com/"), r.version, r.bare.tests(),
			r.bare.count("pass"), r.bare.count("fail"), r.bare.count("skip"),
			r.interposed.count("pass"), r.interposed.count("fail"), r.interposed.count("skip"),
			r.passed.served, r.passed.called, differ)
	}
	table.Flush()
	for _, r := range reports {
		if r.passed == (passed{}) {
			fmt.Fprintf(w, "\nPROVES NOTHING: no request of %s passed the middleware", r.module)
		}
		for _, test := range slices.Sorted(maps.Keys(r.bare)) {
			if r.bare[test].outcome == "fail" && r.interposed[test].outcome == "fail" {
				fmt.Fprintf(w, "\nfails both ways, and so shows nothing: %s", test)
			}
		}
		for _, d := range r.differences {
			fmt.Fprintf(w, "\n%s", strings.TrimSpace(d.String()))
		}
	}
	fmt.Fprintln(w)
}
