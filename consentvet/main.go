// Command consentvet holds the source of a site against the cookies that it
// declares, in the manner of go vet:
//
//	go run github.com/cookiecharter/consent/consentvet@latest ./...
//
// It reports, with file and line, each cookie that the source sets and no
// consent.Cookie declares, each declaration that nothing sets, and each Provider,
// Service or Purpose that begins with TODO, as package inventory drafts them, since
// visitors would read that:
//
//	shop/cart.go:31:49: cookie "promo" is set by http.SetCookie but not declared
//	cookies.go:22:13: cookie "csrftoken" is declared but nothing sets it
//	cookies.go:30:43: the purpose of cookie "theme" still says TODO
//
// # What sets a cookie
//
//   - http.SetCookie;
//   - a Set-Cookie field, by Set, Add or index of an http.Header;
//   - a session of github.com/gorilla/sessions;
//   - a session manager of github.com/alexedwards/scs;
//   - the token of github.com/gorilla/csrf, or of github.com/justinas/nosurf.
//
// A name is followed from there through variables, parameters, results, fields
// and literals to the constants that it may be. What deletes a cookie needs no
// declaration, and the library's own cookie neither. A declared name with a '*'
// matches as it does in the library.
//
// Other packages that set cookies, such as a framework's, are not known. Nor is
// what a dependency sets by itself: that is what package consenttest sees.
//
// # What cannot be read
//
// Where a name is not constant, that is reported instead of a guess, and so are
// declarations that a registry is given from elsewhere, such as a file:
//
//	proxy.go:40:4: the name of this cookie, set by http.SetCookie, is not constant and cannot be checked
//
// A name that begins with a constant is in order where a declared pattern
// covers all that it can be: "theme_" + user where "theme_*" is declared.
//
// # Comments that answer a finding
//
// A declared cookie that a script in the page, a dependency or another server
// sets is marked on one of the lines of its declaration, which may stand in a
// function that makes several; one with Origins needs no mark, since the page
// contacts them for its sake. Any other finding is answered on its own line:
//
//	consent.Cookie{Provider: "Matomo", Name: "_pk_id*"}, // consentvet: set elsewhere
//
//	http.SetCookie(w, c) // consentvet: ignore, c is one of table's
//
// # Usage
//
// The packages are those of the go command, without their tests; build tags go
// into GOFLAGS. They count as one site. Declarations count in these packages
// alone: where they stand in another module of a workspace, name their package
// too.
//
// Findings go to standard output, by file, line and column. The exit status is 0
// where there are none, 1 where there are, and 2 where the source does not
// compile or the command is not used as it should be; go tool passes it on,
// while go run itself exits with 1 for both.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
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
		fmt.Fprintln(stderr, "usage: consentvet packages\n\nIt reports cookies that are set but not declared, declared but not set, or whose texts say TODO.")
	}
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
	lines := site.sorted(slices.DeleteFunc(append(report.lines, site.drafts()...), site.ignored))
	for _, line := range lines {
		fmt.Fprintln(stdout, line)
	}
	fmt.Fprintln(stderr, "consentvet: cookies:", report.summary())
	if len(lines) > 0 {
		return found
	}
	return clean
}
