package charter

import (
	"html"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// A reading takes from a drawn template what a visitor reads of it. It knows as much of
// HTML as html/template writes; a parser of all of it would be a dependency of every site.
type reading struct {
	charter string // the path of the charter
	lines   []consent.Line
	layers  []consent.Layer

	open  []element // around what comes next, the outermost first
	line  consent.Line
	isRow bool   // a row has begun
	of    []part // what the line is made of

	id     string                  // of the input of which the line is the label
	inputs map[string]consent.Line // without a text, by their ids
	labels map[string]int          // the lines that are labels, by the ids of their inputs
}

// An element is one that has begun and not ended.
type element struct {
	name           string
	language, dir  string // "" for those of the page
	hidden, folded bool
	isLink         bool
}

// A part of a line, with the innermost element around it.
type part struct {
	text string
	in   element
}

// What a template holds, by the HTML Standard (section 13.1): what no visitor reads, then
// tags, and within these attributes with a value in double quotes, in single ones, in none,
// or without one.
var (
	opaque    = regexp.MustCompile(`(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->|<![^>]*>`)
	tag       = regexp.MustCompile(`<(/?)([A-Za-z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>`)
	attribute = regexp.MustCompile(`([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

var (
	stays  = strings.Fields("button label select textarea output") // in a paragraph, on lines of their own
	void   = strings.Fields("area base br col embed hr img input link meta source track wbr")
	unseen = strings.Fields("head template svg noscript datalist")
	inline = strings.Fields("a abbr b bdi bdo cite code data em font i kbd mark q s samp small span strong sub sup time u var wbr img")
)

// ends are the elements before which another one ends (HTML Standard, section 13.1.2.4).
var ends = map[string][]string{
	"li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"}, "option": {"option", "optgroup"},
	"td": {"td", "th", "tr", "tbody", "tfoot"}, "th": {"td", "th", "tr", "tbody", "tfoot"}, "tr": {"tr", "tbody", "tfoot"}, "thead": {"tbody", "tfoot"}, "tbody": {"tbody", "tfoot"},
}

// kinds are the forms of the lines that begin with an element.
var kinds = map[string]consent.LineAs{
	"h1": consent.AsHeading, "h2": consent.AsHeading, "h3": consent.AsHeading, "h4": consent.AsHeading, "h5": consent.AsHeading, "h6": consent.AsHeading,
	"legend": consent.AsHeading, "dt": consent.AsHeading, "caption": consent.AsHeading,
	"button": consent.AsButton, "summary": consent.AsSummary, "li": consent.AsItem, "td": consent.AsCell, "th": consent.AsCell,
}

// read reads a drawn template of the charter at a path.
func read(drawn template.HTML, charter string) *reading {
	r := &reading{charter: charter, inputs: make(map[string]consent.Line), labels: make(map[string]int)}
	text := opaque.ReplaceAllString(string(drawn), "")
	next := 0
	for _, at := range tag.FindAllStringSubmatchIndex(text, -1) {
		r.add(html.UnescapeString(text[next:at[0]]))
		next = at[1]
		switch name := strings.ToLower(text[at[4]:at[5]]); {
		case at[2] < at[3]:
			r.end(name)
		default:
			r.begin(name, attributesIn(text[at[6]:at[7]]))
		}
	}
	r.add(html.UnescapeString(text[next:]))
	r.flush()
	return r
}

func attributesIn(s string) map[string]string {
	found := make(map[string]string)
	for _, match := range attribute.FindAllStringSubmatch(s, -1) {
		found[strings.ToLower(match[1])] = html.UnescapeString(match[2] + match[3] + match[4]) // of which two are empty
	}
	return found
}

func (r *reading) add(text string) {
	if in := r.inner(); !in.hidden && text != "" {
		r.of = append(r.of, part{text, in})
	}
}

// inner returns the innermost element.
func (r *reading) inner() element {
	if len(r.open) == 0 {
		return element{}
	}
	return r.open[len(r.open)-1]
}

func (r *reading) begin(name string, attributes map[string]string) {
	if !slices.Contains(inline, name) && name != "input" {
		r.flush()
		r.close(name)
	}
	has := func(attribute string) bool { _, ok := attributes[attribute]; return ok }
	e := r.inner()
	e.name = name
	if has("lang") && len(r.open) > 0 { // that of the outermost is the page's
		e.language, e.dir = attributes["lang"], attributes["dir"]
	}
	e.hidden = e.hidden || has("hidden") || slices.Contains(unseen, name)
	e.isLink = e.isLink || name == "a"
	switch name {
	case "details":
		e.folded = e.folded || !has("open")
	case "summary":
		e.folded = len(r.open) > 1 && r.open[len(r.open)-2].folded
	case "tr":
		r.isRow = true
	}
	if !e.hidden {
		r.isA(name, attributes, has)
	}
	if !slices.Contains(void, name) {
		r.open = append(r.open, e)
	}
}

// close ends what ends by itself where an element begins, if it is the innermost.
func (r *reading) close(before string) {
	for in := r.inner().name; in == "p" && !slices.Contains(stays, before) || slices.Contains(ends[in], before); in = r.inner().name {
		r.open = r.open[:len(r.open)-1]
	}
}

// isA notes of what kind the line is in which an element begins, and where it leads.
func (r *reading) isA(name string, attributes map[string]string, has func(string) bool) {
	if as, ok := kinds[name]; ok {
		r.line.As = as
	}
	switch kind := strings.ToLower(attributes["type"]); {
	case name == "td" || name == "th":
		if r.isRow {
			r.line.As, r.isRow = consent.AsRow, false
		}
	case name == "button" && attributes["name"] == "choice":
		r.line.Value = attributes["value"]
	case name == "label":
		r.id = attributes["for"]
		r.line.As, r.line.Checked = r.inputs[r.id].As, r.inputs[r.id].Checked
	case name == "input" && kind == "radio":
		r.choose(attributes["id"], consent.AsOption, has("checked"))
	case name == "input" && kind == "checkbox":
		r.choose(attributes["id"], consent.AsBox, has("checked"))
	case name == "input" && kind == "submit":
		r.flush()
		r.line.As = consent.AsButton
		if attributes["name"] == "choice" {
			r.line.Value = attributes["value"]
		}
		r.of = append(r.of, part{attributes["value"], r.inner()})
		r.flush()
	}
	layer := consent.Layer{Name: "charter", Path: attributes["href"] + attributes["formaction"]} // none has both
	if strings.HasSuffix(layer.Path, "#settings") {
		layer.Name = "settings"
	}
	if path, _, _ := strings.Cut(layer.Path, "#"); path == r.charter && !slices.Contains(r.layers, layer) {
		r.layers = append(r.layers, layer)
	}
}

// choose notes an input whose label is around it, after it or before it.
func (r *reading) choose(id string, as consent.LineAs, checked bool) {
	if i, ok := r.labels[id]; ok && id != "" {
		r.lines[i].As, r.lines[i].Checked = as, checked
		return
	}
	r.line.As, r.line.Checked = as, checked
	if id != "" {
		r.inputs[id] = consent.Line{As: as, Checked: checked}
	}
}

func (r *reading) end(name string) {
	i := len(r.open) - 1
	for i >= 0 && r.open[i].name != name {
		i--
	}
	if i < 0 {
		return // nothing has begun by that name, or it is void
	}
	if !slices.Contains(inline, name) {
		r.flush()
	}
	r.open = r.open[:i]
}

// flush ends a line. An empty cell is one.
func (r *reading) flush() {
	var text strings.Builder
	var seen []element
	for _, p := range r.of {
		text.WriteString(p.text)
		if strings.Trim(p.text, space) != "" {
			seen = append(seen, p.in)
		}
	}
	// A space that does not break, as French has before some marks, is a sign of its own.
	r.line.Text = strings.Join(strings.FieldsFunc(text.String(), func(c rune) bool { return strings.ContainsRune(space, c) }), " ")
	if len(seen) > 0 {
		first := seen[0]
		r.line.Folded = first.folded
		if !slices.ContainsFunc(seen, func(e element) bool { return e.language != first.language || e.dir != first.dir }) {
			r.line.Language, r.line.Direction = first.language, first.dir
		}
		if r.line.As == consent.AsText && !slices.ContainsFunc(seen, func(e element) bool { return !e.isLink }) {
			r.line.As = consent.AsLink
		}
	}
	if isCell := r.line.As == consent.AsRow || r.line.As == consent.AsCell; r.line.Text != "" || isCell {
		r.lines = append(r.lines, r.line)
		if r.id != "" {
			r.labels[r.id] = len(r.lines) - 1
		}
	}
	r.line, r.of, r.id = consent.Line{}, nil, ""
}

// space is what HTML takes for white space.
const space = " \t\n\f\r"
