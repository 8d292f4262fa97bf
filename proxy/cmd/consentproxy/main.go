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
// Its README has every flag and every field of the file.
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

	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/internal/config"
)

func main() {
	log.SetFlags(0)
	log.SetOutput(discreet{os.Stderr})
	command := ""
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		command = os.Args[1]
	}
	switch command {
	case "":
		serveByFlags(os.Args[1:])
	case "check":
		os.Exit(check(os.Args[2:], os.Stdout, os.Stderr))
	case "init":
		os.Exit(initialise(os.Args[2:], os.Stdout, os.Stderr))
	default:
		log.Fatalf("consentproxy: %q is neither \"check\" nor \"init\", and no flag", command)
	}
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

// options are what the command line says.
type options struct {
	config string // the name of a file; then the rest is empty

	to, addr, keys, trust, db, declarations string
	reportOnly, inject, insecure            bool
}

// serveByFlags serves as the flags say until it is interrupted.
func serveByFlags(arguments []string) {
	var o options
	flags := flag.NewFlagSet("consentproxy", flag.ExitOnError)
	flags.StringVar(&o.config, "config", "", "`file` with all settings, such as consentproxy.yaml; then no other flag is needed, and none is read")
	flags.StringVar(&o.to, "to", "", "`URL` of the site, such as http://localhost:8000")
	flags.StringVar(&o.addr, "addr", "localhost:8080", "`address` to listen on")
	flags.StringVar(&o.declarations, "declarations", "", "`file` in YAML or JSON with the cookies of the site; the usual ones of many sites if it is left out")
	flags.StringVar(&o.keys, "keys", "", "`file` with the keys that sign decisions, one per line: the first signs, all verify")
	flags.StringVar(&o.trust, "trust", "", "`addresses`, such as 10.0.0.7,10.1.0.0/16, of machines whose X-Forwarded-For and X-Forwarded-Proto are believed")
	flags.StringVar(&o.db, "db", "", "`file or postgres:// URL` of the database that keeps what visitors decide; none if it is left out")
	flags.BoolVar(&o.reportOnly, "report-only", false, "change nothing, and log what would become of each cookie")
	flags.BoolVar(&o.inject, "inject", false, "add to the head of HTML pages what the banner needs")
	flags.BoolVar(&o.insecure, "insecure", false, "keep decisions on plain http too, for development")
	_ = flags.Parse(arguments) // it exits
	if flags.NArg() > 0 {
		log.Fatalf("consentproxy: %q is not a flag", flags.Arg(0))
	}
	var mistakes []error
	flags.Visit(func(f *flag.Flag) {
		if o.config != "" && f.Name != "config" {
			mistakes = append(mistakes, fmt.Errorf("-%s: stands in the file that -config names", f.Name))
		}
	})
	if len(arguments) == 0 {
		mistakes = append(mistakes, errors.New(`what is to be served? "consentproxy -config consentproxy.yaml" serves as that file says, and "consentproxy init http://localhost:8000" writes a first one for a site`))
	}
	err := errors.Join(mistakes...)
	if err == nil {
		err = run(o, os.Stdout, os.Stderr)
	}
	if err != nil {
		log.Fatal("consentproxy: ", err)
	}
}

// read returns the settings that the options amount to. The error holds every mistake.
func (o options) read(key []byte) (*config.Settings, error) {
	if o.config != "" {
		return config.Read(o.config, key)
	}
	declared, err := usual()
	if err != nil {
		return nil, err
	}
	file := config.File{
		Listen: o.addr, Targets: []config.Target{{To: o.to}}, Keys: config.Keys{File: o.keys}, Declarations: o.declarations,
		Ledger: config.Ledger{URL: o.db}, ReportOnly: o.reportOnly, Inject: o.inject, Insecure: o.insecure,
		Charter: config.Charter{LanguageCookie: "django_language"},
	}
	if o.trust != "" {
		file.Trusted = strings.Split(o.trust, ",")
	}
	settings, err := config.Make(file, declared, key)
	return settings, inFlags(err)
}

// inFlags names the flags that mistakes are in.
func inFlags(err error) error {
	var all []error
	for _, err := range joined.Split(err) {
		m, is := errors.AsType[*config.Mistake](err)
		if is && m.File == "" {
			place, _, _ := strings.Cut(m.Path, "[")
			err = fmt.Errorf("-%s: %s", flagOf[place], m.Reason)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// flagOf has the flags that stand for what a file holds, by its path there.
var flagOf = map[string]string{
	"targets": "to", "listen": "addr", "keys.file": "keys", "trusted": "trust", "declarations": "declarations", "ledger.url": "db",
}
