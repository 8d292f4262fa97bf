package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// A machine is where and with what a run has measured. What the system does not
// tell stays empty.
type machine struct {
	When         time.Time
	CPU, Kernel  string
	Cores        int
	Go           string
	Modules, NPM []string
}

// thisMachine reads the versions of the npm packages from a folder of npm's.
func thisMachine(packages string) (machine, error) {
	m := machine{When: time.Now().UTC(), CPU: cpu(), Kernel: contentOf("/proc/sys/kernel/osrelease"), Cores: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if slices.Contains(modules, module.Path) {
				m.Modules = append(m.Modules, module.Path+" "+module.Version)
			}
		}
	}
	for _, name := range npm {
		source, err := os.ReadFile(filepath.Join(packages, "node_modules", name, "package.json"))
		if err != nil {
			return m, err
		}
		var about struct{ Version string }
		if err := json.Unmarshal(source, &about); err != nil {
			return m, err
		}
		m.NPM = append(m.NPM, name+" "+about.Version)
	}
	return m, nil
}

// npm are the packages that are compared, and the one that measures.
var npm = []string{"vanilla-cookieconsent", "klaro", "tarteaucitronjs", "orejime", "@c15t/react", "@c15t/scripts", "react", "axe-core"}

// modules are those that are compared, and those that measure.
var modules = []string{
	"github.com/alexedwards/scs/v2", "github.com/gorilla/csrf", "github.com/justinas/nosurf", "github.com/jub0bs/cors",
	"github.com/felixge/httpsnoop", "github.com/go-chi/chi/v5", "github.com/chromedp/chromedp",
}

func cpu() string {
	for line := range strings.Lines(contentOf("/proc/cpuinfo")) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage is how many processes have wanted to run in the last minute, on average.
func loadAverage() string {
	load, _, _ := strings.Cut(contentOf("/proc/loadavg"), " ")
	return load
}

func contentOf(file string) string {
	content, _ := os.ReadFile(file) // only Linux has these
	return strings.TrimSpace(string(content))
}
