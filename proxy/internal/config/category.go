package config

import (
	"fmt"
	"strings"

	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
)

// ownCategories is where the file says what the site's own categories are.
const ownCategories = "charter.categories"

// placeCategories moves each mistake about a category of which the file says nothing to the
// declarations that name it: most are slips of a finger, and there they are mended.
func (r *reading) placeCategories() {
	var kept []*Mistake
	for _, m := range r.mistakes {
		if declared := r.declaredIn(m); len(declared) > 0 {
			kept = append(kept, declared...)
		} else {
			kept = append(kept, m)
		}
	}
	r.mistakes = kept
}

// declaredIn returns a mistake about a category at each declaration in it; none if the
// mistake is about something else, or about what the file says of the category.
func (r *reading) declaredIn(m *Mistake) (moved []*Mistake) {
	if !strings.HasPrefix(m.Path, ownCategories+".") || m.File != r.file || r.settings.Site.Consent.Registry == nil {
		return nil
	}
	file, path, root := r.declared()
	for i, c := range r.settings.Site.Consent.Registry.Cookies() {
		name := string(c.Category)
		if _, given := r.settings.Charter.Categories[c.Category]; given || m.Path != yamldoc.Key(ownCategories, name) {
			continue
		}
		place := &Mistake{File: file, Path: yamldoc.Index(path, i) + ".category"}
		if root != nil {
			place.Line = root.LineOf(place.Path)
		}
		place.Reason = fmt.Sprintf("%q %s", name, strings.Replace(m.Reason, "a Title and an About", `"title" and "about" in `+ownCategories, 1))
		moved = append(moved, place)
	}
	return moved
}

// declared returns the file in which the declarations stand, the path of their list in it,
// and its content: nil if it cannot be read for a second time.
func (r *reading) declared() (file, path string, root *yamldoc.Value) {
	name := r.path(r.settings.Declarations)
	if name == "" {
		return r.file, "declarations.cookies", r.document
	}
	if data, err := readBounded(name); err == nil {
		root, _ = yamldoc.Parse(data) // JSON is YAML, as far as lines go
	}
	if root != nil && root.Get("cookies") == nil {
		return name, "declarations.cookies", root // of another consentproxy.yaml
	}
	return name, "cookies", root
}
