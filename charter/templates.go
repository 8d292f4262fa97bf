package charter

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

// templates are this package's own. They fail for no view.
var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// replaceTemplates puts the site's templates in place of this package's templates of
// the same names, and executes each of them for a visitor who has not decided, under
// an opt-in and an opt-out law, for one who has, and for one whose browser has not
// kept it.
func (c *Charter) replaceTemplates(site *template.Template) error {
	replaced, err := site.Clone()
	if err != nil {
		return fmt.Errorf("charter: Config.Templates: %w", err)
	}
	replacesAny := false
	for _, ours := range templates.Templates() {
		if replaced.Lookup(ours.Name()) != nil {
			replacesAny = true
		} else if _, err := replaced.AddParseTree(ours.Name(), ours.Tree); err != nil {
			return fmt.Errorf("charter: Config.Templates: %w", err)
		}
	}
	if !replacesAny {
		return fmt.Errorf(`charter: Config.Templates: none is called as one of this package's, such as "banner" or "page"%s`, site.DefinedTemplates())
	}
	c.templates = replaced
	l := c.localized[0]()
	undecided := view{Words: l.words, Lang: l.words.tag.String(), Dir: "ltr", Host: "x", Path: c.path, Back: "/", Ask: l.optIn.ask, Status: l.words.Undecided, Groups: l.groups, Provider: "x", Content: "<p>x</p>"}
	presumed := undecided
	presumed.Ask, presumed.Presumed = l.optOut.ask, l.optOut.presumed
	presumed.GPC = l.words.GPCHonored
	presumed.Status = l.words.Undecided + " " + l.words.Presumed + " " + l.gpcRefuses
	presumed.Groups = l.groupsFor(answer{all: true}.allows, true)
	presumed.Reference, presumed.Aside = "0", "<p>x</p>"
	decided := presumed
	decided.Ask, decided.Presumed, decided.Decided, decided.Just, decided.Status = undecided.Ask, "", true, true, "x"
	unkept := undecided
	unkept.Unkept = true
	var mistakes []error
	for _, name := range []string{"banner", "link", "placeholder", "tables", "page"} {
		for _, v := range []view{undecided, presumed, decided, unkept} {
			if err := replaced.ExecuteTemplate(io.Discard, name, v); err != nil {
				mistakes = append(mistakes, fmt.Errorf("charter: Config.Templates: %w", err))
				break
			}
		}
	}
	return errors.Join(mistakes...)
}

// render executes a template. If a template of the site fails, for a view that
// replaceTemplates has not tried, this package's own takes its place: the visitor is
// still asked, and sees no half page.
func (c *Charter) render(name string, v view) template.HTML {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, v); err != nil {
		b.Reset()
		_ = templates.ExecuteTemplate(&b, name, v)
	}
	return template.HTML(strings.TrimSpace(b.String()))
}
