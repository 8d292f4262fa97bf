package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

const (
	// width is how many columns a line of text has, if its words allow it.
	width = 96

	// maxNamed is how many stages a line of text names.
	maxNamed = 2
)

// A printer writes text, in colours if they are wanted.
type printer struct {
	*bufio.Writer
	color bool
}

// Text writes the report for a terminal, or for the log of a CI job: the findings, then
// what was looked at, and a last line with the counts. color is for a terminal alone, and
// not if NO_COLOR is set. What comes from the site holds no control characters.
func Text(w io.Writer, r Report, color bool) error {
	p := printer{bufio.NewWriter(w), color}
	var level finding.Level
	for i, f := range r.sorted() {
		if i > 0 && f.Level != level {
			p.line()
		}
		level = f.Level
		p.finding(f)
	}
	if len(r.Findings) > 0 {
		p.line()
	}
	p.looked(r.Scan)
	p.gone(r.Gone)
	p.line()
	p.line(p.bold(r.summary()))
	return p.Flush()
}

func (p printer) line(parts ...string) {
	for _, part := range parts {
		_, _ = p.WriteString(part) // Flush has the error
	}
	_ = p.WriteByte('\n')
}

// finding writes a line with everything, or several if that would be too wide.
func (p printer) finding(f finding.Finding) {
	head := string(f.Level) + " " + string(f.Check) + ": " + say(f.Message)
	var details []string
	if len(f.Stages) > 0 {
		details = append(details, "in "+some(f.Stages))
	}
	if len(f.Places) > 0 {
		details = append(details, placeOf(f))
	}
	below := strings.Join(details, " — ")
	if line := head + " — " + below; below != "" && columns(line) <= width {
		head, below = line, ""
	}
	for i, line := range wrapped(head, 0, 4) {
		if i == 0 {
			line = p.level(f.Level) + strings.TrimPrefix(line, string(f.Level))
		}
		p.line(line)
	}
	if below != "" {
		p.wrap(below, 4, 6)
	}
	if f.Mend != "" {
		p.block("mend: ", f.Mend)
	}
	rule := "rule: " + ruleOf(f)
	if f.Source != "" {
		rule = "rule: " + say(f.Source) + ", " + ruleOf(f)
	}
	p.wrap(rule, 4, 10)
}

// block writes a text, and one of several lines, such as a declaration, as it is, so that it
// can be copied.
func (p printer) block(label, text string) {
	lines := strings.Split(sayLines(text), "\n")
	if len(lines) == 1 {
		p.wrap(label+lines[0], 4, 4+len(label))
		return
	}
	for _, line := range lines {
		p.line("    ", label, line)
		label = strings.Repeat(" ", len(label))
	}
}

// placeOf returns the first place of a finding in words, and how many more there are.
func placeOf(f finding.Finding) string {
	first := f.Places[0]
	text := show(first.Page)
	if first.Frame != "" {
		text += ", in the frame " + show(first.Frame)
	}
	if first.How != "" {
		text += ", " + show(first.How)
	}
	if more := len(f.Places) - 1 + f.More; more > 0 {
		text += fmt.Sprintf(" (and %s)", number(more, "more place"))
	}
	return text
}

// looked writes what the scan has looked at, and what it has not.
func (p printer) looked(scan *seen.Scan) {
	p.wrap(fmt.Sprintf("Looked at %s with %s on %s, for %s:", show(scan.Site), show(scan.Browser), moment(scan.Started), span(scan.Took)), 0, 2)
	longest := 0
	for _, s := range scan.Stages {
		longest = min(max(longest, columns(show(s.Name))), 30)
	}
	for _, s := range scan.Stages {
		name := show(s.Name)
		p.wrap(name+strings.Repeat(" ", max(0, longest-columns(name)))+"  "+stageSays(s), 2, longest+4)
	}
	if len(scan.Problems) > 0 {
		p.line()
		p.line(p.bold("Not looked at, so that nothing is said of it:"))
		for _, problem := range scan.Problems {
			p.wrap(problemSays(problem), 2, 4)
		}
	}
}

// stageSays returns in words how a stage went.
func stageSays(s seen.Stage) string {
	if s.Skipped != "" {
		return "skipped: " + show(s.Skipped)
	}
	text := number(len(s.Pages), "page")
	if s.Kept != nil && !*s.Kept {
		text += ", answer not kept"
	}
	return text
}

func problemSays(p seen.Problem) string {
	where := slices.DeleteFunc([]string{show(p.Stage), show(p.Page)}, func(s string) bool { return s == "" })
	if len(where) == 0 {
		return say(p.Text)
	}
	return strings.Join(where, " ") + ": " + say(p.Text)
}

// gone writes what the baseline may forget.
func (p printer) gone(gone []Known) {
	if len(gone) == 0 {
		return
	}
	p.line()
	p.line(p.bold("In the baseline, and not found any more (write it anew):"))
	for _, k := range gone {
		p.wrap(k.String(), 2, 4)
	}
}

// summary counts everything in one line.
func (r *Report) summary() string {
	stages, pages := r.walked()
	parts := []string{
		strings.Join([]string{number(r.of(finding.Error), "error"), number(r.of(finding.Warning), "warning"), number(r.of(finding.Note), "note")}, ", "),
		number(pages, "page") + " in " + number(stages, "stage"),
	}
	if skipped := len(r.Scan.Stages) - stages; skipped > 0 {
		parts[1] += fmt.Sprintf(" (%d skipped)", skipped)
	}
	if n := len(r.Scan.Problems); n > 0 {
		parts = append(parts, number(n, "problem"))
	}
	if r.Baselined > 0 || len(r.Gone) > 0 {
		parts = append(parts, fmt.Sprintf("baseline: %d known, %d gone", r.Baselined, len(r.Gone)))
	}
	return strings.Join(parts, "; ")
}

// some names the first of several, and counts the others.
func some(names []string) string {
	shown := make([]string, min(len(names), maxNamed))
	for i := range shown {
		shown[i] = show(names[i])
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func number(n int, what string) string { return fmt.Sprintf("%d %s", n, plural(n, what)) }

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func span(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func columns(s string) int { return utf8.RuneCountInString(s) }

func (p printer) wrap(text string, first, rest int) {
	for _, line := range wrapped(text, first, rest) {
		p.line(line)
	}
}

// wrapped breaks a text between words, the first line indented by first, the others by
// rest. A word that is too long has a line of its own, so that an address can be copied.
func wrapped(text string, first, rest int) (lines []string) {
	line, indent := strings.Repeat(" ", first), first
	for i, word := range strings.Split(text, " ") {
		if i > 0 && columns(line)+1+columns(word) > width && columns(line) > indent {
			lines = append(lines, strings.TrimRight(line, " "))
			line, indent = strings.Repeat(" ", rest)+word, rest
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	return append(lines, strings.TrimRight(line, " "))
}

func (p printer) level(level finding.Level) string {
	switch level {
	case finding.Error:
		return p.paint("1;31", string(level))
	case finding.Warning:
		return p.paint("1;33", string(level))
	default:
		return p.paint("1;36", string(level))
	}
}

func (p printer) bold(text string) string { return p.paint("1", text) }

func (p printer) paint(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
