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

// templates are this package's own, which fail for no view.
var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// replaceTemplates puts the site's templates in the place of those of the same
// name, and has each drawn once in every state that a visitor can meet.
func (c *Charter) replaceTemplates(site *template.Template) error {
	replaced, err := site.Clone()
	if err != nil {
		return fmt.Errorf("charter: Config.Templates: %w", err)
	}
	var names []string
	for _, ours := range templates.Templates() {
		if replaced.Lookup(ours.Name()) != nil {
			names = append(names, ours.Name())
		} else if _, err := replaced.AddParseTree(ours.Name(), ours.Tree); err != nil {
			return fmt.Errorf("charter: Config.Templates: %w", err)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf(`charter: Config.Templates: none is called as one of this package's, such as "banner" or "page"%s`, site.DefinedTemplates())
	}
	c.templates = replaced
	d := c.drawings[0]()
	undecided := view{Words: d.words, Lang: d.words.tag.String(), Dir: "ltr", Host: "x", Path: c.path, Back: "/", Ask: d.optIn.ask, Status: d.words.Undecided, Groups: d.groups, Provider: "x", Content: "<p>x</p>"}
	presumed := undecided
	presumed.Ask, presumed.Presumed = d.optOut.ask, d.optOut.presumed
	presumed.Status = d.words.Undecided + " " + d.words.Presumed + " " + d.words.GPC
	presumed.Groups = d.groupsFor(answer{all: true}.allows, true)
	presumed.Reference, presumed.Aside = "0", "<p>x</p>"
	decided := presumed
	decided.Ask, decided.Presumed, decided.Decided, decided.Just, decided.Status = undecided.Ask, "", true, true, "x"
	var mistakes []error
	for _, name := range []string{"banner", "link", "placeholder", "tables", "page"} {
		for _, v := range []view{undecided, presumed, decided} {
			if err := replaced.ExecuteTemplate(io.Discard, name, v); err != nil {
				mistakes = append(mistakes, fmt.Errorf("charter: Config.Templates: %w", err))
				break
			}
		}
	}
	return errors.Join(mistakes...)
}

// render draws v. Where a template of the site's fails at last, for a view that
// New has not tried, this package's draws in its place: a visitor is asked all
// the same, and sees no half page.
func (c *Charter) render(name string, v view) template.HTML {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, v); err != nil {
		b.Reset()
		_ = templates.ExecuteTemplate(&b, name, v)
	}
	return template.HTML(strings.TrimSpace(b.String()))
}
