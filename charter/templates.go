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
// the same names, and executes each of them for a visitor who has not decided, under
// an opt-in and an opt-out law, for one who has, and for one whose page has to be
// loaded again.
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
	l := c.localized[0]()
	undecided := c.viewIn(l)
	undecided.Host, undecided.Back, undecided.At, undecided.Nonce = "x", "/", "0", "x"
	undecided.Status, undecided.Groups = "x", l.groups
	undecided.Embedded = embedded{Embed: Embed{Provider: "x", Content: "<p>x</p>"}}
	presumed := undecided
	presumed.Ask, presumed.Presumed = l.optOut.ask, l.optOut.presumed
	presumed.GPC = l.words.GPCHonored
	presumed.Status = template.HTML(template.HTMLEscapeString(l.words.Undecided + " " + l.presumedSays + " " + l.gpcRefuses))
	presumed.Groups = l.groupsBy(func(consent.Category, string) reply { return allowed }, true)
	presumed.Reference, presumed.Records, presumed.Aside, presumed.Privacy, presumed.Updated = "0", "/x", "<p>x</p>", "/x", "x"
	presumed.Account, presumed.AccountOf = "x", "x"
	presumed.Embedded = embedded{
		Embed: Embed{Provider: "x", Title: "x", Image: "/x", Link: "https://x"}, ID: "x", Text: "x", Show: "x", Visit: "x", Value: "x", Purposes: []text{{Text: "x", Lang: "x", Dir: "ltr"}}, Box: "0 0 1 1", Style: "/x",
	}
	decided := presumed
	decided.Ask, decided.Presumed, decided.Decided, decided.Just, decided.Note, decided.Change = undecided.Ask, "", true, true, "x", true
	stale := undecided
	stale.Note, stale.Reload = "x", true
	var mistakes []error
	if err := replaced.ExecuteTemplate(io.Discard, "details", details{Who: "x", Policy: "https://x", Link: "x"}); err != nil {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Templates: %w", err))
	}
	for _, page := range recordsTrials(undecided, decided) {
		if err := replaced.ExecuteTemplate(io.Discard, "records", page); err != nil {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Templates: %w", err))
			break
		}
	}
	for _, name := range []string{"banner", "button", "link", "placeholder", "tables", "page", "settings"} {
		for _, v := range []view{undecided, presumed, decided, stale} {
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
func (c *Charter) render(name string, v any) template.HTML {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, v); err != nil {
		b.Reset()
		_ = templates.ExecuteTemplate(&b, name, v)
	}
	return template.HTML(strings.TrimSpace(b.String()))
}
