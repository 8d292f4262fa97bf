package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/internal/config"
)

// options are what the command line says.
type options struct {
	config string // the name of a file; then the rest is empty

	to, addr, keys, trust, db, declarations string
	reportOnly, inject, insecure            bool
}

// flags returns the flags that set the options.
func (o *options) flags(errs io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("consentproxy", flag.ContinueOnError)
	flags.SetOutput(errs)
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
	return flags
}

// contradictions returns every mistake in what flags say together.
func contradictions(flags *flag.FlagSet) error {
	var mistakes []error
	if flags.NFlag() == 0 {
		mistakes = append(mistakes, errors.New(`what is to be served? "consentproxy -config consentproxy.yaml" serves as that file says, and "consentproxy init http://localhost:8000" writes a first one for a site`))
	}
	byFile := flags.Lookup("config").Value.String() != ""
	flags.Visit(func(f *flag.Flag) {
		if byFile && f.Name != "config" {
			mistakes = append(mistakes, fmt.Errorf("-%s: stands in the file that -config names", f.Name))
		}
	})
	return errors.Join(mistakes...)
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

// nameOf names what in the options stands for a field of the file.
func (o options) nameOf(field string) string {
	if o.config != "" {
		return o.config + ": " + field
	}
	return "-" + flagOf[field]
}
