package charter

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// maxShown is how many decisions the page of records shows; the receipt has all.
const maxShown = 100

// A recorded is one record as the page shows it.
type recorded struct {
	Time      template.HTML
	How       string
	Law       string // empty if no decision on the page was taken under another law than opt-in
	Answers   []answered
	Objection bool
	GPC       bool
	Screen    *screen // nil if what was on the screen is not known
}

// An answered is the answers for one category. Each of Allowed and Refused is a sentence that
// names providers; empty for none.
type answered struct {
	Title            text
	Allowed, Refused string
}

// showRecords adds the newest records to a page.
func (c *Charter) showRecords(page *recordsPage, l *localized, records []consent.Record) {
	if len(records) > maxShown {
		records = records[len(records)-maxShown:]
		page.More = strings.ReplaceAll(l.words.RecordsMore, "{count}", strconv.Itoa(maxShown))
	}
	hasLaws := slices.ContainsFunc(records, func(record consent.Record) bool { return record.Regime != consent.OptIn })
	left := maxScreens
	for _, record := range slices.Backward(records) {
		d := recorded{
			Time: l.words.moment(record.Time), How: l.words.how(record.Evidence.Action), Answers: c.answersOf(l, record),
			Objection: record.Objection, GPC: record.GPC,
		}
		if notice := record.Evidence.Notice; notice != nil {
			if left -= len(notice.Content()); left >= 0 {
				d.Screen = l.words.drawn(notice.Content())
			} else {
				d.Screen = &screen{Lang: page.Lang, Dir: page.Dir, Cut: true}
			}
		}
		if hasLaws {
			d.Law = l.words.law(record.Regime)
		}
		page.Decisions = append(page.Decisions, d)
	}
}

// answersOf returns the answers of a record by category, in the order of the form. Neither a
// category nor a provider need be declared any more.
func (c *Charter) answersOf(l *localized, record consent.Record) []answered {
	var categories []consent.Category
	for _, g := range l.groups {
		categories = append(categories, g.Category)
	}
	allowed, refused := make(map[consent.Category][]string), make(map[consent.Category][]string)
	for _, a := range record.Answers {
		if !slices.Contains(categories, a.Category) {
			categories = append(categories, a.Category)
		}
		if a.Allowed {
			allowed[a.Category] = append(allowed[a.Category], a.Provider)
		} else {
			refused[a.Category] = append(refused[a.Category], a.Provider)
		}
	}
	var all []answered
	for _, category := range categories {
		a := answered{c.titleOf(l, category), l.words.naming(l.words.RecordsAllowed, allowed[category]), l.words.naming(l.words.RecordsRefused, refused[category])}
		if a.Allowed != "" || a.Refused != "" {
			all = append(all, a)
		}
	}
	return all
}

// titleOf returns the title of a category, and its name if it has none in this site.
func (c *Charter) titleOf(l *localized, category consent.Category) text {
	title := c.textOf(c.categories[category].Title, l.words.Categories[category].Title, l.words)
	if title.Text == "" {
		title.Text = string(category)
	}
	return title
}

// naming fills the {providers} of a sentence; it is empty if there are none.
func (w *words) naming(sentence string, providers []string) string {
	if len(providers) == 0 {
		return ""
	}
	return strings.ReplaceAll(sentence, "{providers}", w.list(providers))
}

// moment returns a time in words. It is in UTC, since no server knows the visitor's zone.
func (w *words) moment(t time.Time) template.HTML {
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s, %s UTC</time>`, t.Format(time.RFC3339), template.HTMLEscapeString(w.date(t)), t.Format(time.TimeOnly)))
}

// how says what a visitor did.
func (w *words) how(action consent.Action) string {
	switch action {
	case consent.ByBanner:
		return w.RecordsBanner
	case consent.ByForm:
		return w.RecordsForm
	case consent.ByPlaceholder:
		return w.RecordsPlaceholder
	case consent.ByObjection:
		return w.RecordsObjection
	case consent.ByGPC:
		return w.RecordsGPC
	case consent.ByAccount:
		return w.RecordsAccount
	default:
		return w.RecordsOther
	}
}

// law says what a regime presumes.
func (w *words) law(regime consent.Regime) string {
	switch regime {
	case consent.UK:
		return w.RecordsUK
	case consent.OptOut:
		return w.RecordsOptOut
	case consent.NoRegime:
		return w.RecordsNoRegime
	default:
		return w.RecordsOptIn
	}
}

// recordsTrials are pages by which replaceTemplates tries a template of the site.
func recordsTrials(undecided, decided view) []recordsPage {
	title := text{Text: "x", Lang: "x", Dir: "ltr"}
	shown := &screen{Lang: "x", Dir: "ltr", OwnAnswers: true, HasBraces: true, Cut: true, Blocks: []block{
		{As: consent.AsButton, Text: title, Pressed: title},
		{As: consent.AsSummary, Text: title, Folded: []block{{As: consent.AsBox, Text: title, Checked: true}, {Cells: []text{title, title}}}},
	}}
	full := recorded{Time: "x", How: "x", Law: "x", Answers: []answered{{title, "x", "x"}}, Objection: true, GPC: true, Screen: shown}
	return []recordsPage{
		{view: undecided}, {view: decided}, {view: decided, Failed: true},
		{view: decided, File: "/x", More: "x", Decisions: []recorded{full, {Time: "x", How: "x"}}},
	}
}
