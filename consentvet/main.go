// Command consentvet holds the source of a site against the cookies that it
// declares, in the manner of go vet:
//
//	go run github.com/cookiecharter/consent/consentvet ./...
//
// It reports, with file and line, each cookie that the source sets and no
// [consent.Cookie] declares, and each declaration that nothing sets:
//
//	shop/cart.go:31:49: cookie "promo" is set by http.SetCookie but not declared
//	cookies.go:22:13: cookie "csrftoken" is declared but nothing sets it
//
// # What sets a cookie
//
//   - http.SetCookie;
//   - a Set-Cookie field, by Set, Add or index of an [http.Header];
//   - a session of github.com/gorilla/sessions;
//   - a session manager of github.com/alexedwards/scs.
//
// A name is followed from there through variables, parameters, results, fields
// and literals to the constants that it may be. What deletes a cookie needs no
// declaration, and the library's own cookie neither. A declared name with a '*'
// matches as it does in the library.
//
// A name that is computed cannot be known. It is reported where no declaration
// can fit what is certain of it; else it is counted on standard error, and
// listed with -v.
//
// # What sets a cookie elsewhere
//
// A declared cookie that a script in the page sets, a dependency or another
// server, is marked by a comment on one of the lines of its declaration:
//
//	consent.Cookie{Provider: "Matomo", Name: "_pk_id*", …}, // consentvet: set elsewhere
//
// # Usage
//
// The packages are those of the go command, without their tests; build tags go
// into GOFLAGS. Declarations count in these packages alone: where they stand in
// another module, name their package too. The exit status is 1 where something
// is reported, and 2 where the source does not compile.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "consentvet:", err)
		os.Exit(broken)
	}
	os.Exit(run(dir, os.Args[1:], os.Stdout, os.Stderr))
}

// What the command exits with.
const (
	clean  = 0
	found  = 1
	broken = 2
)

// run is the command, for a site in dir.
func run(dir string, args []string, stdout, stderr io.Writer) (status int) {
	flags := flag.NewFlagSet("consentvet", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: consentvet [-v] packages\n\nIt reports cookies that are set but not declared, and declared but not set.")
		flags.PrintDefaults()
	}
	verbose := flags.Bool("v", false, "list the names that cannot be known too")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return clean
	case err != nil:
		return broken
	case flags.NArg() == 0:
		flags.Usage()
		return broken
	}
	site, err := load(dir, flags.Args())
	if err != nil {
		fmt.Fprintln(stderr, err)
		return broken
	}
	report := compare(site.declarations(), site.settings())
	lines := report.findings
	if *verbose {
		lines = append(lines, report.unknown...)
	}
	for _, line := range site.sorted(lines) {
		fmt.Fprintln(stdout, line)
	}
	summary := "consentvet: " + report.summary()
	if n := len(site.sorted(report.unknown)); n > 0 {
		summary += fmt.Sprintf("; %s cannot be known", count(n, "name"))
		if !*verbose {
			summary += " (-v lists them)"
		}
	}
	fmt.Fprintln(stderr, summary)
	if len(report.findings) > 0 {
		return found
	}
	return clean
}
