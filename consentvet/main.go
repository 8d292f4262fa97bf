// Command consentvet compares the source of a site with the cookies that the site
// declares, in the manner of go vet:
//
//	go run github.com/cookiecharter/consent/consentvet@latest ./...
//
// It reports, with file and line, each cookie that the source sets and no
// consent.Cookie declares; each declaration of a cookie that nothing sets; and each text
// that begins with TODO, as the drafts of package inventory do, since visitors would
// read that: Provider, Service, Purpose and Category, and the details of a
// consent.Provider:
//
//	shop/cart.go:31:49: cookie "promo" is set by http.SetCookie but not declared
//	cookies.go:22:13: cookie "csrftoken" is declared but nothing sets it
//	cookies.go:30:43: the purpose of cookie "theme" still says TODO
//
// One line tells a cookie that is set in several places, at the first of them: "(and 3
// more places)".
//
// # Settings of a cookie
//
// These set a cookie:
//
//   - http.SetCookie;
//   - a Set-Cookie field, by Set, Add or index of an http.Header, or by a method of another
//     type for headers or responses;
//   - the key of a cookie of github.com/valyala/fasthttp, or of github.com/cloudwego/hertz;
//   - a session of github.com/gorilla/sessions;
//   - a session manager of github.com/alexedwards/scs;
//   - the token of github.com/gorilla/csrf, or of github.com/justinas/nosurf.
//
// The command traces a name through variables, parameters, results, fields and
// literals to the constants that it may be. A deletion needs no declaration, nor does
// the library's own cookie. A declared name with a '*' matches as in the library.
//
// A declaration of another Kind than HTTPCookie is about what scripts store in a
// browser. It declares no cookie, and the source of a server does not show what sets it.
//
// # Frameworks and other packages that set cookies
//
// The command reads the packages that a site imports if they may set cookies, and follows
// the site's calls into them: c.SetCookie of gin, echo, macaron or beego, c.Cookie of fiber, and
// helpers in modules of your own. A finding stands at the line of the site that gives
// the name. If a package has the name itself, as a session library may, the finding
// stands at the line by which the site comes to that package:
//
//	main.go:18:8: cookie "_csrf" is set by github.com/labstack/echo/v4 but not declared
//
// If the site gives another name for the same setting, the package's own one is not
// taken for set. What no code of the site can reach does not count. Of the packages of
// the site's own modules, the command reads those in its arguments as a whole, and those
// that they import as far as they reach them.
//
// If a declared name stands somewhere in the site's code, and no way from there to a
// cookie was found, the command does not say that nothing sets the cookie, but where the
// name stands.
//
// # Names that are not constant
//
// If a name is not constant, the command says so and does not guess. It also says so
// if a registry gets declarations from outside the source, such as from a file:
//
//	proxy.go:40:4: the name of this cookie, set by http.SetCookie, is not constant and cannot be checked
//
// A name that begins with a constant is in order if a declared pattern covers every
// possible end: "theme_" + user if "theme_*" is declared.
//
// # Comments that answer a finding
//
// Some declared cookies are set by a script in the page, a dependency or another
// server. A comment on one of the lines of the declaration says so; in a function that
// makes several declarations, it counts for all of them. A declaration with Origins
// needs no such comment, since pages contact the origins, which set the cookie. Any
// other finding is answered by a comment on its own line:
//
//	consent.Cookie{Provider: "Matomo", Name: "_pk_id*"}, // consentvet: set elsewhere
//
//	http.SetCookie(w, c) // consentvet: ignore, c is one of table's
//
// # Usage
//
// The arguments are packages as for the go command; their tests are not read. Set build
// tags by GOFLAGS. All packages count as one site, and only their declarations count: if
// the declarations stand in another module of a workspace, name their package too.
//
// Findings go to standard output, sorted by file, line and column. The exit status is 0
// without findings, 1 with findings, 2 if the source does not compile or the arguments
// are wrong, and 3 if the packages neither declare a cookie nor set one in a way that the
// command knows: then it has checked nothing. go tool passes the status on; go run exits
// with 1 for each of the last three.
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

// Exit statuses.
const (
	clean   = 0
	found   = 1
	broken  = 2
	nothing = 3 // was recognised
)

// run runs the command for a site in dir.
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
	report := compare(site.declarations(), site.settings(), site.mentioned)
	lines := site.sorted(slices.DeleteFunc(append(report.lines, site.drafts()...), site.ignored))
	for _, line := range lines {
		fmt.Fprintln(stdout, line)
	}
	fmt.Fprintln(stderr, "consentvet: cookies:", report.summary())
	switch {
	case report.unrecognised:
		fmt.Fprintln(stderr, "consentvet: nothing was recognised in these packages: they declare no cookie, and set none in a way that this command knows")
		return nothing
	case report.set == 0 && len(lines) == 0:
		fmt.Fprintln(stderr, "consentvet: these packages set no cookie in a way that this command knows")
	}
	if len(lines) > 0 {
		return found
	}
	return clean
}
