// Command bench measures, on the machine where it runs, what the library costs a
// server and a visitor, beside what else a site could pick. It writes RESULTS.md
// with the figures, the versions, the method and two plots. From the root of the
// repository:
//
//	go run ./dev/bench
//
// It takes about a quarter of an hour, best on a machine that does nothing else, and
// needs Chromium, and npm for the banners that it compares.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	folder := flag.String("folder", "dev/bench", "`folder` of this command, where npm's packages are and where RESULTS.md goes")
	server := flag.Bool("server", false, "measure the server's part alone")
	visitor := flag.Bool("visitor", false, "measure the visitor's part alone")
	flag.Parse()
	both := *server == *visitor
	if err := run(*folder, *server || both, *visitor || both); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string, server, visitor bool) (err error) {
	missing := func(name string) bool {
		_, err := os.Stat(filepath.Join(folder, "node_modules", name))
		return errors.Is(err, os.ErrNotExist)
	}
	if slices.ContainsFunc(npm, missing) {
		install := exec.Command("npm", "ci", "--ignore-scripts", "--prefix", folder)
		install.Stdout, install.Stderr = os.Stderr, os.Stderr
		if err := install.Run(); err != nil {
			return fmt.Errorf("npm ci: %w", err)
		}
	}
	begin := time.Now()
	r := results{Before: loadAverage()}
	if r.Machine, err = thisMachine(folder); err != nil {
		return err
	}
	if server {
		effort := serverEffort{CostRounds: 9, CostEach: 100 * time.Millisecond, FigureRounds: 7, FigureEach: 30 * time.Millisecond, Pairs: 60, PairEach: 50 * time.Millisecond}
		if r.Server, err = measureServer(effort); err != nil {
			return err
		}
	}
	if visitor {
		if r.Visitor, err = measureVisitor(folder, 8); err != nil {
			return err
		}
	}
	r.After, r.Took = loadAverage(), time.Since(begin).Round(time.Second)
	return r.write(folder)
}

func measureServer(effort serverEffort) (*serverResults, error) {
	r := &serverResults{Effort: effort}
	list, err := contestants()
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "the server: cost of a request")
	if r.Costs, err = price(list, effort.CostRounds, effort.CostEach); err != nil {
		return nil, err
	}
	if r.Declarations, r.Lines, err = figures(effort.FigureRounds, effort.FigureEach); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "the server: throughput")
	r.Throughput, err = race(list, effort.Pairs, effort.PairEach)
	return r, err
}

func measureVisitor(folder string, rounds int) (*visitorResults, error) {
	fmt.Fprintln(os.Stderr, "the visitor")
	axe, err := os.ReadFile(filepath.Join(folder, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		return nil, err
	}
	list, err := sites(folder)
	if err != nil {
		return nil, err
	}
	withTag, err := tagged(folder)
	if err != nil {
		return nil, err
	}
	google := newCollector()
	defer google.Close()
	b, err := startBrowser(google)
	if err != nil {
		return nil, err
	}
	defer b.close()
	r := &visitorResults{Rounds: rounds, Browser: b.version}
	if r.Sites, err = tour(b, list, string(axe), rounds); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "the visitor, under hardships")
	r.HardRounds = (rounds + 1) / 2
	if err = endure(b, r.Sites, r.HardRounds); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "the visitor, with Google's tag")
	r.Tagged, err = tourTags(b, google, withTag, r.HardRounds)
	return r, err
}
