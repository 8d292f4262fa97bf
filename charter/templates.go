package charter

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/cookiecharter/consent"
)

//go:embed templates
var templateFiles embed.FS

// templates are this package's own. They fail for no view.
var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// replaceTemplates puts the site's templates in place of this package's templates of
// the same names, and tries each of them.
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
	c.templates, c.templatesSum = replaced, sumWith(site)
	return c.tryTemplates()
}

// tryTemplates executes each template for the visitors of trials. The error joins those of
// the templates that fail.
func (c *Charter) tryTemplates() error {
	var mistakes []error
	try := func(name string, with any) bool {
		err := c.templates.ExecuteTemplate(io.Discard, name, with)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Templates: %w", err))
		}
		return err == nil
	}
	trials := c.trials()
	try("details", details{Who: "x", Policy: "https://x", Link: "x"})
	for _, page := range recordsTrials(trials.undecided, trials.decided) {
		if !try("records", page) {
			break
		}
	}
	for _, name := range []string{"banner", "button", "link", "placeholder", "tables", "page", "settings"} {
		for _, v := range []view{trials.undecided, trials.presumed, trials.decided, trials.stale} {
			if !try(name, v) {
				break
			}
		}
	}
	return errors.Join(mistakes...)
}

// Trials are the views that a template of the site is tried with: for who has not decided,
// under an opt-in and an opt-out law, for who has, and for a page that has to be loaded
// again. Together they have a value in every field.
type trials struct{ undecided, presumed, decided, stale view }

func (c *Charter) trials() (t trials) {
	l := c.localized[0]()
	v := c.viewIn(l)
	v.Host, v.Back, v.At, v.Nonce = "x", "/", "0", "x"
	v.Status, v.Groups = "x", l.groups
	v.Embedded = embedded{Embed: Embed{Provider: "x", Content: "<p>x</p>"}}
	t.undecided, t.presumed, t.stale = v, v, v
	t.stale.Note, t.stale.Reload = "x", true
	p := &t.presumed
	p.Ask, p.Presumed = l.optOut.ask, l.optOut.presumed
	p.GPC = l.words.GPCHonored
	p.Status = template.HTML(template.HTMLEscapeString(l.words.Undecided + " " + l.presumedSays + " " + l.gpcRefuses))
	p.Groups = l.groupsBy(func(consent.Category, string) reply { return allowed }, true)
	p.Reference, p.Records, p.Aside, p.Privacy, p.Updated = "0", "/x", "<p>x</p>", "/x", "x"
	p.Account, p.AccountOf = "x", "x"
	p.Embedded = embedded{
		Embed: Embed{Provider: "x", Title: "x", Image: "/x", Link: "https://x"}, ID: "x", Text: "x", Show: "x", Visit: "x", Value: "x", Purposes: []text{{Text: "x", Lang: "x", Dir: "ltr"}}, Box: "0 0 1 1", Style: "/x",
	}
	t.decided = *p
	d := &t.decided
	d.Ask, d.Presumed, d.Decided, d.Just, d.Note, d.Change = v.Ask, "", true, true, "x", true
	return t
}

// render executes a template. If a template of the site fails, for a view that
// replaceTemplates has not tried, this package's own takes its place: the visitor is
// still asked, and sees no half page.
func (c *Charter) render(name string, v any) template.HTML {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, v); err != nil {
		b.Reset()
		_ = templates.ExecuteTemplate(&b, name, v)
	}
	return template.HTML(strings.TrimSpace(b.String()))
}
