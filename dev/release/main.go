// Command release makes the tags of a version, one for each module that others import or
// install from, in one step: all of them or none. It looks first whether anything stands in
// the way, says all of it at once, and pushes nothing.
//
//	go run ./dev/release -check v0.1.0   # changes nothing
//	go run ./dev/release v0.1.0
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/cookiecharter/consent/dev/release/internal/repository"
)

func main() {
	check := flag.Bool("check", false, "change nothing: say what stands in the way")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: release [-check] VERSION, such as v0.1.0")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := release(flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// release tags the commit that is checked out, unless only is set.
func release(version string, only bool) error {
	root, err := git(".", "", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	modules, err := repository.Published(root)
	if err != nil {
		return err
	}
	if err := problems(root, version, modules); err != nil {
		return err
	}
	var tags []string
	for _, module := range modules {
		tags = append(tags, module.Tag(version))
	}
	if only {
		fmt.Println("nothing stands in the way of", strings.Join(tags, " "))
		return nil
	}
	if err := tag(root, version, tags); err != nil {
		return err
	}
	// Atomic: a remote that has one of these tags already takes none of them.
	fmt.Println("git push --atomic origin main", strings.Join(tags, " "))
	return nil
}
