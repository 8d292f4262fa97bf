package survey

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/internal/config"
)

// WriteFile writes what was found as a first consentproxy.yaml. KeyFile is the path of a
// file of keys, as the file is to name it.
func (r *Report) WriteFile(to io.Writer, keyFile string) error {
	w := &writer{to: to}
	origin := &url.URL{Scheme: r.Start.Scheme, Host: r.Start.Host}
	w.line("# Written by \"consentproxy init %s\", which saw %d pages and ran no script.", r.Start, r.Pages)
	w.line("# Read it all: what stands here is what visitors are told. What says TODO is still to be")
	w.line("# written, and \"consentproxy check\" names each of its lines. The README has every field.")
	w.line("# yaml-language-server: $schema=%s", config.Schema)
	w.line("")
	w.line("listen: localhost:8080")
	w.line("targets:")
	w.line("  - to: %s", scalar(origin.String()))
	w.line("inject: true     # adds the script that asks visitors to the head of pages")
	w.line("insecure: true   # keeps decisions on plain http: take it out once visitors come by https")
	w.line("keys:")
	w.line("  file: %s   # sign decisions: keep them secret, and the same on every machine", scalar(keyFile))
	w.line("charter:")
	w.line("  name: %s", scalar(r.Name))
	if tag, err := language.Parse(r.Language); err == nil && r.Language != "" {
		base, _ := tag.Base()
		w.line("  language: %s", scalar(base.String()))
	}
	for _, d := range r.drafts {
		if slices.Contains([]string{"django_language", "NEXT_LOCALE", "pll_language"}, d.Name) {
			w.line("  languageCookie: %s", scalar(d.Name))
			break
		}
	}
	if r.scripted {
		w.line("  guard: declared   # scripts of pages store nothing that is declared before visitors allow it. They still run, and")
		w.line("                    # contact their hosts: the README says how to hold them back, under \"What pages load from others\"")
	}
	r.writeDeclarations(w)
	r.writeRest(w)
	return w.err
}

func (r *Report) writeDeclarations(w *writer) {
	w.line("")
	w.line("declarations:")
	r.writeProviders(w)
	if len(r.drafts) == 0 {
		w.line("  cookies: []   # none was seen")
		return
	}
	w.line("  cookies:")
	for i, d := range r.drafts {
		if i > 0 {
			w.line("")
		}
		r.writeDraft(w, d)
	}
}

// writeProviders writes what is known of those who are behind the drafts.
func (r *Report) writeProviders(w *writer) {
	if r.known == nil {
		return
	}
	begun := false
	for _, p := range r.known.Providers() {
		if !slices.ContainsFunc(r.drafts, func(d draft) bool { return d.Provider == p.Name && !d.isSiteOwn }) {
			continue
		}
		if !begun {
			w.line("  providers:")
			begun = true
		}
		w.line("    - name: %s", scalar(p.Name))
		w.field("      ", "legalName", p.LegalName)
		w.field("      ", "country", p.Country)
		w.field("      ", "policy", p.Policy)
	}
}

func (r *Report) writeDraft(w *writer, d draft) {
	provider := d.Provider
	if d.isSiteOwn {
		provider = r.Name
	}
	w.line("    - provider: %s", scalar(provider))
	w.text("service", d.Service)
	if d.setBy != "" {
		w.line("      name: %s   # was not seen: %s sets it when somebody signs in", scalar(d.Name), d.setBy)
	} else {
		w.line("      name: %s", scalar(d.Name))
	}
	purpose := d.Purpose
	if tag, err := language.Parse(r.Language); err == nil && r.Language != "" && isTODO(purpose) {
		base, _ := tag.Base()
		purpose = map[string]string{base.String(): purpose["en"]}
	}
	w.text("purpose", purpose)
	if d.isProposed {
		w.line("      category: %s   # asks for consent; \"necessary\" if the site does not work without it", scalar(d.Category))
	} else {
		w.line("      category: %s", scalar(d.Category))
	}
	if d.Kind != "" && d.Kind != consent.HTTPCookie.String() {
		w.line("      kind: %s", scalar(d.Kind))
	}
	w.field("      ", "lifetime", d.Lifetime)
	w.field("      ", "domain", d.Domain)
	if d.Path != "/" {
		w.field("      ", "path", d.Path)
	}
	for i, p := range d.Also {
		if i == 0 {
			w.line("      also:")
		}
		w.line("        - {domain: %s, path: %s}", quoted(p.Domain), quoted(p.Path))
	}
}

func isTODO(text map[string]string) bool {
	for _, words := range text {
		if strings.HasPrefix(words, todo) {
			return true
		}
	}
	return false
}

// writeRest says what was not seen.
func (r *Report) writeRest(w *writer) {
	if len(r.Hosts) > 0 {
		w.line("")
		w.line("# Pages have every browser contact these hosts, whatever the visitor has decided. What is")
		w.line("# stored for them only a browser knows: look at the site with consentscan, or in the")
		w.line("# browser's own tools. Declare it, and hold back what contacts them: the README says how,")
		w.line("# under \"What pages load from others\".")
		for _, host := range r.Hosts {
			w.line("#   %s", scalar(host))
		}
	}
	if len(r.LeftOut) > 0 {
		w.line("")
		w.line("# Not looked at:")
		for _, reason := range r.LeftOut {
			w.line("#   %s", scalar(reason))
		}
	}
}

// A writer writes lines, and keeps the first error.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.to, format+"\n", args...)
	}
}

// field writes a text, unless there is none.
func (w *writer) field(indent, name, text string) {
	if text != "" {
		w.line("%s%s: %s", indent, name, scalar(text))
	}
}

// text writes a text in several languages.
func (w *writer) text(name string, text map[string]string) {
	if len(text) == 0 {
		return
	}
	w.line("      %s:", name)
	for _, tag := range slices.Sorted(maps.Keys(text)) {
		w.line("        %s: %s", tag, scalar(text[tag]))
	}
}

// scalar writes a text in one line of YAML.
func scalar(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == '\u2028' || r == '\u2029' || r == '\u0085' }), " ")
	written, err := yaml.Marshal(text)
	if err != nil || strings.Count(string(written), "\n") != 1 {
		return quoted(text)
	}
	return strings.TrimSuffix(string(written), "\n")
}

// quoted writes a text in quotation marks.
func quoted(text string) string { return fmt.Sprintf("%q", text) }
