package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/cookiecharter/consent/proxy/internal/config"
	"github.com/cookiecharter/consent/proxy/internal/survey"
	"github.com/cookiecharter/consent/proxy/site"
)

// surveyPatience is for the whole look at a site.
const surveyPatience = 5 * time.Minute

// initialise looks at a site, and writes a first file for it. It returns the status with
// which the program ends. It overwrites nothing.
func initialise(arguments []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("consentproxy init", flag.ContinueOnError)
	flags.SetOutput(errs)
	name := flags.String("config", defaultFile, "`file` to write")
	pages := flags.Int("pages", 50, "`number` of pages to see at most, as each of two visitors")
	if flags.Parse(arguments) != nil {
		return 2
	}
	start, err := url.Parse(flags.Arg(0))
	if flags.NArg() != 1 || err != nil || start.Scheme != "http" && start.Scheme != "https" || start.Host == "" || start.User != nil || *pages < 1 {
		fmt.Fprintln(errs, "consentproxy: init takes the address of the site, such as \"consentproxy init http://localhost:8000\"")
		return 2
	}
	if err := writeFirst(start, *name, *pages, out); err != nil {
		fmt.Fprintln(errs, "consentproxy:", err)
		return 1
	}
	return 0
}

func writeFirst(start *url.URL, name string, pages int, out io.Writer) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s is there already, and is not overwritten; -config names another file", name)
	}
	known, err := usual()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, surveyPatience)
	defer cancel()
	if start.Path == "" {
		start.Path = "/"
	}
	report, err := survey.Look(ctx, survey.Options{URL: start, Pages: pages, Known: known})
	if err != nil {
		return err
	}
	keys := strings.TrimSuffix(name, filepath.Ext(name)) + ".keys"
	var b strings.Builder
	if err := report.WriteFile(&b, filepath.Base(keys)); err != nil {
		return err
	}
	if err := writeNew(keys, hex.EncodeToString(site.NewKey())+"\n", 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := writeNew(name, b.String(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is written, after %d pages.", name, report.Pages)
	todos := 0
	if _, err := config.Read(name, site.NewKey()); err != nil {
		todos = len(strings.Split(err.Error(), "\n"))
	}
	switch {
	case todos == 0:
		fmt.Fprintf(out, " Read it, and then start: consentproxy -config %s\n", name)
	case todos == 1:
		fmt.Fprintln(out, " One place is still to be written: \"consentproxy check\" names it.")
	default:
		fmt.Fprintf(out, " %d places are still to be written: \"consentproxy check\" names them.\n", todos)
	}
	return nil
}

// writeNew writes a file that is not there yet.
func writeNew(name, content string, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, content)
	return errors.Join(err, f.Close())
}
