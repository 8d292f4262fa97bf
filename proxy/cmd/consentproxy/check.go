package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/cookiecharter/consent/proxy/internal/config"
	"github.com/cookiecharter/consent/proxy/site"
)

// defaultFile is what init writes, and check reads if no file is named.
const defaultFile = "consentproxy.yaml"

// check says every mistake in a file, and returns the status with which the program ends: 1
// if there are any. It contacts nothing and opens no ledger.
func check(arguments []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("consentproxy check", flag.ContinueOnError)
	flags.SetOutput(errs)
	name := flags.String("config", defaultFile, "`file` to check")
	if status, isRead := parse(flags, arguments, 0); !isRead {
		return status
	}
	settings, err := config.Read(*name, site.NewKey())
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	cookies := settings.Site.Consent.Registry.Cookies()
	fmt.Fprintf(out, "%s is right: %d declarations.\n", *name, len(cookies))
	return 0
}
