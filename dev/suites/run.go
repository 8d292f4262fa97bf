package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A bench is one suite set up to be run bare and interposed.
type bench struct {
	suite
	dir   string // of the copy of the module
	work  string // the go.work that both ways share, so that they have the same dependencies
	tally string // the file that counts the requests
	over  string // the file for -overlay
}

// download returns the directory that the go command keeps the module in.
func (s suite) download() (string, error) {
	var module struct{ Dir, Error string }
	printed, err := output(nil, "mod", "download", "-json", s.module+"@"+s.version)
	if jsonErr := json.Unmarshal([]byte(printed), &module); jsonErr == nil && module.Error != "" {
		err = errors.New(module.Error)
	}
	return module.Dir, err
}

// newBench copies the suite in dir below temp, and joins it to this repository.
func newBench(temp, dir string, s suite) (*bench, error) {
	b := &bench{suite: s, dir: filepath.Join(temp, "module"), work: filepath.Join(temp, "go.work"), tally: filepath.Join(temp, "tally")}
	if err := os.CopyFS(b.dir, os.DirFS(dir)); err != nil {
		return nil, err
	}
	interposed := filepath.Join(temp, "interposed")
	library, err := copyInterposed(interposed)
	if err != nil {
		return nil, err
	}
	inWork := []string{"GOWORK=" + b.work}
	if _, err := output(inWork, "work", "init", b.dir, library, interposed); err != nil {
		return nil, err
	}
	// What net/http and others do depends on the Go version of the program
	// (go.dev/doc/godebug), which is to be the suite's.
	goVersion, err := output(inWork, "list", "-m", "-f", "{{.GoVersion}}", s.module)
	if err != nil {
		return nil, err
	}
	if _, err := output(inWork, "work", "edit", "-godebug", "default="+version.Lang("go"+goVersion)); err != nil {
		return nil, err
	}
	goroot, err := output(nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	replacements := filepath.Join(temp, "overlay")
	if err := os.Mkdir(replacements, 0o700); err != nil {
		return nil, err
	}
	o, err := newOverlay(replacements, goroot, b.dir, s)
	if err != nil {
		return nil, err
	}
	b.over, err = o.write()
	return b, err
}

// copyInterposed copies package interposed to a folder, as a module of its own: with
// that of this command, the suite would run on the versions that others here ask for.
// It returns the folder of the library.
func copyInterposed(to string) (library string, err error) {
	folders, err := output(nil, "list", "-f", "{{.Dir}}", interposedPath, "github.com/cookiecharter/consent")
	if err != nil {
		return "", err
	}
	from, library, _ := strings.Cut(strings.TrimSpace(folders), "\n")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return "", err
	}
	return library, os.WriteFile(filepath.Join(to, "go.mod"), []byte("module "+interposedPath+"\n\ngo 1.26\n"), 0o600)
}

// bare runs the tests of these packages as they are, with nothing replaced.
func (b *bench) bare(packages ...string) (results, error) {
	return b.test(nil, packages)
}

// interposed runs them with the middleware around every handler, and counts the
// requests that passed it.
func (b *bench) interposed(packages ...string) (results, passed, error) {
	if err := os.WriteFile(b.tally, nil, 0o600); err != nil {
		return nil, passed{}, err
	}
	r, err := b.test([]string{"-tags=interposed", "-overlay=" + b.over}, packages)
	if err != nil {
		return nil, passed{}, err
	}
	tally, err := os.ReadFile(b.tally)
	return r, passed{served: bytes.Count(tally, []byte("s")), called: bytes.Count(tally, []byte("c"))}, err
}

// A passed counts the requests that passed the middleware.
type passed struct{ served, called int }

func (b *bench) test(flags, packages []string) (results, error) {
	arguments := append([]string{"test", "-json", "-count=1", "-vet=off", "-skip=" + b.skip}, append(flags, packages...)...)
	command := exec.Command("go", arguments...)
	command.Dir = b.dir
	command.Env = append(os.Environ(), "GOWORK="+b.work, "INTERPOSED_TALLY="+b.tally)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	r, err := readResults(stdout)
	if err != nil {
		command.Process.Kill()
	}
	// A suite whose tests fail makes the command fail as well.
	var exit *exec.ExitError
	if waitErr := command.Wait(); !errors.As(waitErr, &exit) {
		err = errors.Join(err, waitErr)
	}
	if err == nil && len(r) == 0 {
		err = errors.New("no test ran")
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, stderr.Bytes())
	}
	return r, nil
}

// results are those of each test by package and name, and of each package by its
// path alone.
type results map[string]result

type result struct {
	outcome string // "pass", "fail" or "skip"; "" where it did not end
	output  string
	pkg     string
	test    bool // not a package
}

// readResults reads what go test -json prints (go doc test2json).
func readResults(stdout io.Reader) (results, error) {
	r := make(results)
	lines := bufio.NewReader(stdout)
	var build strings.Builder
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			r.complete()
			return r, nil
		} else if err != nil {
			return nil, err
		}
		var event struct{ Action, Package, Test, Output string }
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, fmt.Errorf("%w: %s", err, line)
		}
		name := event.Package
		if event.Test != "" {
			name += " " + event.Test
		}
		of := r[name]
		of.pkg, of.test = event.Package, event.Test != ""
		switch event.Action {
		case "build-output":
			build.WriteString(event.Output)
			continue
		case "build-fail":
			return nil, fmt.Errorf("it does not build:\n%s", build.String())
		case "output":
			of.output += event.Output
		case "pass", "fail", "skip":
			of.outcome = event.Action
		}
		r[name] = of
	}
}

// complete fills in the outcome of tests whose end is lost in what they print
// themselves: where one has failed, its package has.
func (r results) complete() {
	for name, of := range r {
		if of.test && of.outcome == "" && r[of.pkg].outcome == "pass" {
			of.outcome = "pass"
			r[name] = of
		}
	}
}

// tests returns how many there are, subtests included.
func (r results) tests() (n int) {
	for _, of := range r {
		if of.test {
			n++
		}
	}
	return n
}

// count returns how many of them ended so.
func (r results) count(outcome string) (n int) {
	for _, of := range r {
		if of.test && of.outcome == outcome {
			n++
		}
	}
	return n
}

// output returns what the go command prints.
func output(env []string, arguments ...string) (string, error) {
	command := exec.Command("go", arguments...)
	command.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(stdout)), err
}
