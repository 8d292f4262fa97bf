package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/cookiecharter/consent/dev/release/internal/repository"
	"github.com/cookiecharter/consent/dev/release/internal/surface"
)

// problems returns everything that stands in the way of a release.
func problems(root, version string, modules []repository.Module) error {
	return errors.Join(
		checkVersion(version, modules),
		checkClean(root),
		checkTags(root, version, modules),
		checkChangelog(root, version),
		checkRequirements(root, version, modules),
		checkWorkspace(root, version),
		checkSurface(root),
	)
}

// checkVersion wants a version that each module's path can have: v2 would need another path.
func checkVersion(version string, modules []repository.Module) error {
	for _, m := range modules {
		if err := module.Check(m.Path, version); err != nil {
			return fmt.Errorf("version %q: %w", version, err)
		}
	}
	return nil
}

// checkClean wants the branch main, and nothing that the commit does not hold.
func checkClean(root string) error {
	var all []error
	if branch, err := git(root, "", "symbolic-ref", "--short", "HEAD"); err != nil || branch != "main" {
		all = append(all, fmt.Errorf("branch: %q, and not main", branch))
	}
	changed, err := git(root, "", "status", "--porcelain")
	if changed != "" {
		err = fmt.Errorf("not committed:\n%s", changed)
	}
	return errors.Join(append(all, err)...)
}

// checkTags wants none of the tags to exist: the checksum database never forgets what the
// first one of a name had.
func checkTags(root, version string, modules []repository.Module) error {
	var all []error
	for _, m := range modules {
		found, err := git(root, "", "tag", "--list", m.Tag(version))
		if found != "" {
			err = fmt.Errorf("tag %s exists already", found)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// heading matches the heading of a version in CHANGELOG.md (keepachangelog.com).
var heading = regexp.MustCompile(`(?m)^## \[(\d\S*)\] - (.*)$`)

// checkChangelog wants this version first, with the day of its release.
func checkChangelog(root, version string) error {
	content, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	first := heading.FindSubmatch(content)
	if first == nil {
		return errors.New("CHANGELOG.md has no heading such as ## [0.1.0] - 2006-01-02")
	}
	var all []error
	if found := "v" + string(first[1]); found != version {
		all = append(all, fmt.Errorf("CHANGELOG.md begins with %s, and not %s", found, version))
	}
	if _, err := time.Parse(time.DateOnly, string(first[2])); err != nil {
		all = append(all, fmt.Errorf("CHANGELOG.md has no date such as 2006-01-02, but %q", first[2]))
	}
	return errors.Join(all...)
}

// checkRequirements wants each go.mod to ask for this version of the other modules, and those
// that a release gives to others to replace and exclude nothing: go install path@version
// refuses that, and for a site that imports the module it would not count.
func checkRequirements(root, version string, modules []repository.Module) error {
	published := map[string]bool{}
	for _, m := range modules {
		published[filepath.Join(m.Folder, "go.mod")] = true
	}
	names, err := git(root, "", "ls-files", "go.mod", "*/go.mod")
	if err != nil {
		return err
	}
	var all []error
	for _, name := range strings.Fields(names) {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		file, err := modfile.Parse(name, content, nil)
		if err != nil {
			return err
		}
		for _, required := range file.Require {
			if below(modules[0].Path, required.Mod.Path) && required.Mod.Version != version {
				all = append(all, fmt.Errorf("%s requires %s, and not %s", name, required.Mod, version))
			}
		}
		if published[name] && len(file.Replace)+len(file.Exclude) > 0 {
			all = append(all, fmt.Errorf("%s replaces or excludes a module", name))
		}
	}
	return errors.Join(all...)
}

// below reports whether the module at a path is that of the root or lies below it.
func below(root, path string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// checkWorkspace wants go.work to have folders for this version of the modules.
func checkWorkspace(root, version string) error {
	content, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork("go.work", content, nil)
	if err != nil {
		return err
	}
	var all []error
	for _, replaced := range work.Replace {
		if replaced.Old.Version != version {
			all = append(all, fmt.Errorf("go.work replaces %s, and not %s", replaced.Old, version))
		}
	}
	return errors.Join(all...)
}

// checkSurface wants what sites can name to be what was decided.
func checkSurface(root string) error {
	decided, err := os.ReadFile(filepath.Join(root, surface.File))
	if err != nil {
		return err
	}
	listing, err := surface.Listing(root)
	if err == nil && listing != string(decided) {
		err = fmt.Errorf("%s is not what sites can name: see CONTRIBUTING.md", surface.File)
	}
	return err
}
