// Command consentproxy puts consent in front of a site that is written in any language: it
// passes requests on to the site and removes from the answers the cookies that a visitor has
// not consented to. The cookies are declared in a file; the charter that explains them is
// served under /cookies/.
//
//	consentproxy init http://localhost:8000        # looks at the site, and writes consentproxy.yaml
//	consentproxy check                             # every mistake in it, with its line
//	consentproxy -config consentproxy.yaml         # serves; SIGHUP reads the file anew
//	consentproxy -to http://localhost:8000 -inject # without a file, to have a look
//
// The README of the module has every flag and every field of the file.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetOutput(discreet{os.Stderr})
	os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch does what the arguments say, and returns the status with which the program ends:
// 1 if something has failed, 2 if the arguments say nothing that it can do.
func dispatch(arguments []string, out, errs io.Writer) int {
	if len(arguments) == 0 || strings.HasPrefix(arguments[0], "-") {
		return serveByFlags(arguments, out, errs)
	}
	switch name, rest := arguments[0], arguments[1:]; name {
	case "check":
		return check(rest, out, errs)
	case "init":
		return initialise(rest, out, errs)
	default:
		fmt.Fprintf(errs, "consentproxy: %q is neither \"check\" nor \"init\", and no flag\n", name)
		return 2
	}
}

const usage = `Usage:
  consentproxy -config FILE              serves as the file says
  consentproxy -to URL [FLAG...]         serves as the flags say
  consentproxy check [-config FILE]      says every mistake in the file
  consentproxy init [FLAG...] URL        looks at a site, and writes a first file

Flags:
`

// serveByFlags serves as the flags say until it is interrupted.
func serveByFlags(arguments []string, out, errs io.Writer) int {
	var o options
	flags := o.flags(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	if status, isRead := parse(flags, arguments, 0); !isRead {
		return status
	}
	err := contradictions(flags)
	if err == nil {
		err = run(o, out, errs)
	}
	if err != nil {
		fmt.Fprintln(errs, "consentproxy:", err)
		return 1
	}
	return 0
}

// parse reads the flags of a command that takes so many arguments besides, at most. If there
// is nothing more to do, it has said why, and returns the status with which the program ends.
func parse(flags *flag.FlagSet, arguments []string, most int) (status int, isRead bool) {
	switch err := flags.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return 0, false
	case err != nil:
		return 2, false
	}
	if flags.NArg() <= most {
		return 0, true
	}
	extra, reason := flags.Arg(most), "is not a flag"
	switch {
	case strings.HasPrefix(extra, "-"): // package flag reads none after the first argument
		reason = fmt.Sprintf("comes too late; flags stand before %q", flags.Arg(0))
	case most > 0:
		reason = "is one argument too many"
	}
	fmt.Fprintf(flags.Output(), "%s: %q %s\n", flags.Name(), extra, reason)
	return 2, false
}

// A discreet log holds nothing of what a site sends unasked, which net/http
// writes to the standard logger; there may be cookies in it.
type discreet struct{ to io.Writer }

func (d discreet) Write(p []byte) (int, error) {
	said, _, unasked := bytes.Cut(p, []byte(" starting with "))
	if unasked {
		said = append(said, '\n')
	}
	if _, err := d.to.Write(said); err != nil {
		return 0, err
	}
	return len(p), nil
}
