// Package repository reads of which modules this repository is made, and which of them a
// release gives to others.
package repository

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
)

// unpublished are the modules that nobody imports or installs from: they replace the
// library by its folder, and a release has no tag for them.
var unpublished = []string{"dev", "examples"}

// A Module is one that a release has a tag for.
type Module struct {
	Folder string // from the root, with slashes: "." for the root's own
	Path   string
}

// Published returns the modules of go.work that a release has tags for, the root first.
func Published(root string) ([]Module, error) {
	content, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork("go.work", content, nil)
	if err != nil {
		return nil, err
	}
	var modules []Module
	for _, use := range work.Use {
		folder := path.Clean(use.Path)
		if slices.Contains(unpublished, folder) {
			continue
		}
		file := filepath.Join(root, folder, "go.mod")
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if modfile.ModulePath(content) == "" {
			return nil, fmt.Errorf("%s names no module", file)
		}
		modules = append(modules, Module{folder, modfile.ModulePath(content)})
	}
	return modules, nil
}

// Tag returns the name of the tag that the go command looks for: that of a module below
// the root begins with its folder (go.dev/ref/mod#vcs-version).
func (m Module) Tag(version string) string {
	return path.Join(m.Folder, version)
}
