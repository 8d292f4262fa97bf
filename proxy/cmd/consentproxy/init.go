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

	"github.com/cookiecharter/consent/internal/joined"
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
	if status, isRead := parse(flags, arguments, 1); !isRead {
		return status
	}
	start, err := url.Parse(flags.Arg(0))
	if err != nil || start.Scheme != "http" && start.Scheme != "https" || start.Host == "" || start.User != nil {
		fmt.Fprintln(errs, "consentproxy: init takes the address of the site, such as \"consentproxy init http://localhost:8000\"")
		return 2
	}
	if *pages < 1 {
		fmt.Fprintf(errs, "consentproxy: -pages: %d is too few; one is the least\n", *pages)
		return 2
	}
	if err := writeFirst(start, *name, *pages, out); err != nil {
		fmt.Fprintln(errs, "consentproxy:", err)
		return 1
	}
	return 0
}

// writeFirst looks at the site, and writes what was found and a key.
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
	tellRest(out, name, report.Pages)
	return nil
}

// tellRest says what has been written, and what is still to be done.
func tellRest(out io.Writer, name string, pages int) {
	_, err := config.Read(name, site.NewKey())
	todos := len(joined.Split(err))
	check := "consentproxy check"
	if name != defaultFile {
		check += " -config " + name
	}
	fmt.Fprintf(out, "%s is written, after %d pages.", name, pages)
	switch todos {
	case 0:
		fmt.Fprintf(out, " Read it, and then start: consentproxy -config %s\n", name)
	case 1:
		fmt.Fprintf(out, " One place is still to be written: %q names it.\n", check)
	default:
		fmt.Fprintf(out, " %d places are still to be written: %q names them.\n", todos, check)
	}
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
