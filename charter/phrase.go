package charter

import (
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// plain returns the text as it is.
func (t text) plain() string { return t.Text }

// html returns the text with its language, if that is not the page's.
func (t text) html() string {
	escaped := template.HTMLEscapeString(t.Text)
	if t.Lang == "" {
		return escaped
	}
	return `<span lang="` + template.HTMLEscapeString(t.Lang) + `" dir="` + t.Dir + `">` + escaped + "</span>"
}

// list joins names as the language joins them.
func (w *words) list(names []string) string {
	texts := make([]text, len(names))
	for i, name := range names {
		texts[i].Text = name
	}
	return w.listOf(texts, text.plain)
}

// listOf joins texts as the language joins them (CLDR, "List Patterns").
func (w *words) listOf(texts []text, show func(text) string) string {
	switch n := len(texts); n {
	case 0:
		return ""
	case 1:
		return show(texts[0])
	default:
		pattern := w.ListTwo
		if n > 2 {
			pattern = w.ListEnd
		}
		first := show(texts[0])
		for _, t := range texts[1 : n-1] {
			first += ", " + show(t)
		}
		last := texts[n-1]
		return strings.NewReplacer("{first}", first, "{last}", show(last)).Replace(w.joining(pattern, last.Text))
	}
}

// joining changes the word before {last} if the sound of what follows asks for it:
// Spanish has "e" for "y" before the sound of i (Real Academia Española, Diccionario
// panhispánico de dudas, "y").
func (w *words) joining(pattern, last string) string {
	if base := baseOf(w.tag); base.String() != "es" {
		return pattern
	}
	sound := strings.TrimPrefix(strings.ToLower(last), "h")
	first, size := utf8.DecodeRuneInString(sound)
	next, _ := utf8.DecodeRuneInString(sound[size:])
	if first != 'i' && first != 'í' || next == 'a' || next == 'e' || next == 'o' { // "hielo" begins with another sound
		return pattern
	}
	return strings.ReplaceAll(pattern, " y {last}", " e {last}")
}

// date returns a day as people write it.
func (w *words) date(t time.Time) string {
	day := strconv.Itoa(t.Day())
	if base := baseOf(w.tag); base.String() == "fr" && day == "1" {
		day = "1er" // the only day that French writes so
	}
	return strings.NewReplacer("{day}", day, "{month}", w.Months[t.Month()-1], "{year}", strconv.Itoa(t.Year())).Replace(w.Date)
}

// dated returns a sentence with a day in it, which programs can read too.
func (w *words) dated(sentence string, t time.Time) template.HTML {
	t = t.UTC()
	element := `<time datetime="` + t.Format(time.RFC3339) + `">` + template.HTMLEscapeString(w.date(t)) + "</time>"
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(sentence), "{date}", element))
}
