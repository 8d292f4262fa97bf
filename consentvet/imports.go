package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// imports are the packages that a site imports, as far as their source has to be read.
type imports struct {
	site    map[string]bool // the import paths of the packages in the command's arguments
	own     map[string]bool // those of every package of the same modules
	reading []string        // the packages to read besides the site's: own ones, and those that may set cookies
}

// modelled are packages that the command knows by heart. What they set depends on values
// that their source does not show, such as an encoded session, or on defaults.
var modelled = []string{gorilla, csrf, nosurf, scs, fasthttp, hertz}

// findImports finds out which packages have to be read. It reads no syntax.
func findImports(dir string, patterns []string) (*imports, error) {
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule
	roots, err := packages.Load(&packages.Config{Mode: mode, Dir: dir}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("consentvet: %w", err)
	}
	found := &imports{site: make(map[string]bool), own: make(map[string]bool)}
	modules := make(map[string]bool)
	for _, root := range roots {
		found.site[root.PkgPath] = true
		if root.Module != nil {
			modules[root.Module.Path] = true
		}
	}
	reads := make(map[*packages.Package]bool)
	// Postorder: a package comes after all that it imports.
	for pkg := range packages.Postorder(roots) {
		switch {
		case pkg.Module == nil || pkg.Module.Path == library && !modules[library] || slices.Contains(modelled, pkg.PkgPath):
			continue // the standard library; this library, which sets what it was told to; a model
		case modules[pkg.Module.Path]:
			found.own[pkg.PkgPath] = true
			reads[pkg] = true
		default:
			reads[pkg] = mayReach(pkg, reads) || setsCookies(pkg)
		}
		if reads[pkg] && !found.site[pkg.PkgPath] {
			found.reading = append(found.reading, pkg.PkgPath)
		}
	}
	return found, nil
}

// mayReach reports whether a package imports one that is read or modelled.
func mayReach(pkg *packages.Package, reads map[*packages.Package]bool) bool {
	for path, imported := range pkg.Imports {
		if reads[imported] || slices.Contains(modelled, path) {
			return true
		}
	}
	return false
}

// mentions finds the source that may set a cookie.
var mentions = regexp.MustCompile(`\bSetCookie\b|\bhttp\.Cookie[{)]|(?i:"set-cookie")`)

// withoutCookies are modules that know the field Set-Cookie as a part of a protocol, and
// set none by themselves.
var withoutCookies = []string{"golang.org/x/net", "github.com/quic-go/quic-go", "github.com/quic-go/qpack"}

// setsCookies reports whether the source of a package may set a cookie. A file that
// cannot be read is one that the compiler will complain of.
func setsCookies(pkg *packages.Package) bool {
	if slices.Contains(withoutCookies, pkg.Module.Path) {
		return false
	}
	return slices.ContainsFunc(pkg.GoFiles, func(name string) bool {
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, ".pb.go") {
			return false
		}
		source, err := os.ReadFile(name)
		return err == nil && mentions.Match(source)
	})
}
