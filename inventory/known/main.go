// Command known writes known.txt, which package inventory embeds: what the names of
// well-known cookies say about them. It reads cookies.csv, a table with the columns of
// the Open Cookie Database without its descriptions, and names.go. If rows are broken,
// it reports each with file and line, and writes nothing.
//
//	go generate ./inventory/known
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

//go:generate go run .

const header = `# Code generated from cookies.csv and names.go by go generate. DO NOT EDIT.
# What the names of well-known cookies say about them.
# Facts from the Open Cookie Database (https://github.com/jkwakman/Open-Cookie-Database),
# Apache-2.0. Names that are not distinctive are left out; categories and lifetimes are
# changed to those of this library. "@": provider, then the service if it has a name of
# its own. "%": a Go library whose own source has the name as its default, then what the
# cookie is.
# Below: category, then a "/" and the purpose if it is known and the category is no purpose;
# lifetime ("0": until the browser is closed, "?": not known); names.
`

func main() {
	from := flag.String("from", "cookies.csv", "`file` to read")
	to := flag.String("to", "known.txt", "`file` to write")
	flag.Parse()
	if err := generate(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(from, to string) error {
	rows, err := read(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(format(slices.Concat(distinct(rows), libraries))), 0o644)
}

// format writes what facts share once: provider and service or library and kind,
// then category and lifetime.
func format(facts []fact) string {
	slices.SortFunc(facts, func(a, b fact) int {
		return cmp.Or(strings.Compare(a.library, b.library), strings.Compare(a.provider, b.provider), strings.Compare(a.service, b.service),
			strings.Compare(a.categories(), b.categories()), strings.Compare(a.lifetime, b.lifetime), strings.Compare(a.pattern, b.pattern))
	})
	var b strings.Builder
	b.WriteString(header)
	var last fact
	for i, f := range facts {
		of := i > 0 && f.provider == last.provider && f.service == last.service && f.library == last.library && f.kind == last.kind
		switch {
		case of:
		case f.library != "":
			fmt.Fprintf(&b, "\n%%%s\t%s", f.library, f.kind)
		default:
			fmt.Fprintf(&b, "\n@%s", f.provider)
			if f.service != "" {
				fmt.Fprintf(&b, "\t%s", f.service)
			}
		}
		if !of || f.categories() != last.categories() || f.lifetime != last.lifetime {
			fmt.Fprintf(&b, "\n%s %s", f.categories(), f.lifetime)
		}
		b.WriteString(" " + f.pattern)
		last = f
	}
	b.WriteString("\n")
	return b.String()
}
