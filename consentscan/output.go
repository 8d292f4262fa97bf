package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
)

// An output is a file that a report is written to.
type output struct {
	path  string
	write func(io.Writer, report.Report) error
}

// outputs returns those that the flags name.
func outputs(g *given) (list []output, err error) {
	add := func(path string, write func(io.Writer, report.Report) error) {
		if path != "" {
			list = append(list, output{path, write})
		}
	}
	add(g.json, func(w io.Writer, r report.Report) error { return report.JSON(w, r, g.events) })
	add(g.sarif, func(w io.Writer, r report.Report) error {
		var file *report.File
		if g.declarations != "" {
			text, err := os.ReadFile(g.declarations)
			if err != nil {
				return err
			}
			file = &report.File{Path: filepath.ToSlash(filepath.Clean(g.declarations)), Text: text}
		}
		return report.SARIF(w, r, file)
	})
	add(g.html, report.HTML)
	form := strings.TrimPrefix(filepath.Ext(g.declare), ".")
	if g.declare != "" && form != "go" && form != "json" {
		return nil, fmt.Errorf("-declare: %s ends in neither .go nor .json", g.declare)
	}
	add(g.declare, func(w io.Writer, r report.Report) error { return report.Declarations(w, r, form, g.pkg) })
	return list, nil
}

// save writes each output to its file. One that fails stops no other.
func (o *options) save(r report.Report) error {
	var errs []error
	for _, out := range o.outputs {
		errs = append(errs, toFile(out.path, func(w io.Writer) error { return out.write(w, r) }))
	}
	return errors.Join(errs...)
}

func (o *options) saveBaseline(r report.Report, stdout io.Writer) error {
	err := toFile(o.baselinePath, func(w io.Writer) error { return report.WriteBaseline(w, r.Findings) })
	if err == nil {
		fmt.Fprintf(stdout, "%d findings are known from now on: %s\n", len(r.Findings), o.baselinePath)
	}
	return errors.Join(err, o.save(r))
}

func toFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// version is that of the module, as go install has built it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}

// isTerminal says whether somebody sits in front of w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows on a terminal how far a scan has come, in one line.
type progress struct {
	w     io.Writer // nil: nobody looks
	began time.Time
	mu    sync.Mutex
}

func newProgress(w io.Writer, getenv func(string) string) *progress {
	if !isTerminal(w) || getenv("TERM") == "dumb" {
		w = nil
	}
	return &progress{w: w, began: time.Now()}
}

func (p *progress) show(now scan.Progress) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	const most = 60                                    // of a line that is 80 wide
	where := fmt.Sprintf("%s %q", now.Stage, now.Page) // quoted: a path of the site may steer a terminal
	fmt.Fprintf(p.w, "\r\x1b[K%d of %d, %v  %.*s", now.Looked, now.Known, time.Since(p.began).Round(time.Second), most, where)
}

func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
