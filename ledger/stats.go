package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger/internal/calendar"
)

// A Grouping says what [Ledger.Stats] counts apart. What it does not name is counted
// together. The zero Grouping is by day, in UTC, and by category.
type Grouping struct {
	By       []Dimension    // at most one of ByDay, ByWeek and ByMonth; none means ByDay and ByCategory
	Location *time.Location // whose days, weeks and months; nil means UTC
}

// A Dimension is something that decisions are counted apart by.
type Dimension string

const (
	ByDay      Dimension = "day"
	ByWeek     Dimension = "week" // from Monday to Sunday (ISO 8601)
	ByMonth    Dimension = "month"
	ByCategory Dimension = "category"
	ByProvider Dimension = "provider"
	ByLanguage Dimension = "language" // in which the visitor was asked
	ByAction   Dimension = "action"   // by which they decided
	ByRegime   Dimension = "regime"   // under which they were asked
)

// spans are the dimensions of time, of which one alone can be meant.
var spans = []Dimension{ByDay, ByWeek, ByMonth}

var dimensions = append(slices.Clone(spans), ByCategory, ByProvider, ByLanguage, ByAction, ByRegime)

func (g Grouping) has(d Dimension) bool { return slices.Contains(g.by(), d) }

func (g Grouping) by() []Dimension {
	if len(g.By) == 0 {
		return []Dimension{ByDay, ByCategory}
	}
	return g.By
}

// Span returns the dimension of time that the grouping has: ByDay, ByWeek, ByMonth, or "" if
// it has none.
func (g Grouping) Span() Dimension {
	for _, d := range g.by() {
		if slices.Contains(spans, d) {
			return d
		}
	}
	return ""
}

// check joins every mistake.
func (g Grouping) check() (err error) {
	span := Dimension("")
	for i, d := range g.By {
		switch {
		case !slices.Contains(dimensions, d):
			err = errors.Join(err, fmt.Errorf("ledger: Grouping.By: %q is none of %s", d, joined(dimensions)))
		case slices.Contains(g.By[:i], d):
			err = errors.Join(err, fmt.Errorf("ledger: Grouping.By: %q stands here twice", d))
		case slices.Contains(spans, d) && span != "":
			err = errors.Join(err, fmt.Errorf("ledger: Grouping.By: %q and %q exclude each other", span, d))
		case slices.Contains(spans, d):
			span = d
		}
	}
	return err
}

func joined(all []Dimension) string {
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = string(d)
	}
	return strings.Join(names, ", ")
}

// A Stat says how the decisions of one group answered. Fields that the [Grouping] does not
// name are empty.
type Stat struct {
	Start    time.Time // the first moment of the day, week or month, in Grouping.Location
	Category consent.Category
	Provider string
	Language string         // a BCP 47 tag; "" too if the site does not say
	Action   consent.Action // "" too if the site does not say
	Regime   string         // as consent.Regime writes it

	Decided  int64 // decisions that answered for what is counted here
	Accepted int64 // those that allow all of it: each provider that they answered for
	Partly   int64 // those that allow some of it and not the rest
}

// Rate returns the share of decisions that allow everything, between 0 and 1; 0 if there
// was none.
func (s Stat) Rate() float64 {
	if s.Decided == 0 {
		return 0
	}
	return float64(s.Accepted) / float64(s.Decided)
}

func (s *Stat) compare(other *Stat) int {
	return cmp.Or(s.Start.Compare(other.Start), cmp.Compare(s.Category, other.Category), cmp.Compare(s.Provider, other.Provider),
		cmp.Compare(s.Language, other.Language), cmp.Compare(s.Action, other.Action), cmp.Compare(s.Regime, other.Regime))
}

// takenHere leaves out what was decided on another device, and counts there.
const takenHere = " AND action <> '" + string(consent.ByAccount) + "'"

// Stats counts the decisions of a period, by time, category, provider, language, action and
// regime, as far as grouping names them. It counts decisions, not visitors: who decides
// twice counts twice, who was forgotten or purged not at all, and what a Restore has carried
// to another device not again. It checks no record: ask [Ledger.Verify] first. It keeps none of the records in memory. Progress, if not nil,
// is called now and then with the number of records read. The error joins every mistake in
// grouping; or it is the database's, or says that there are more than 100,000 groups.
func (l *Ledger) Stats(ctx context.Context, period Period, grouping Grouping, progress func(records int64)) ([]Stat, error) {
	if err := errors.Join(grouping.check(), l.readable()); err != nil {
		return nil, err
	}
	c := newCounter(grouping, progress)
	err := l.count(ctx, period, c, `SELECT id, answers, language, action, regime FROM consent_record
		WHERE id >= $1 AND id < $2 AND forgotten IS NULL AND `+isDecision+takenHere, 1)
	if err == nil {
		// A consent that did not count is no decision: what counts of it comes next.
		err = l.count(ctx, period, c, `SELECT id, answers, language, action, regime FROM consent_record WHERE forgotten IS NULL AND id IN
			(SELECT previous FROM consent_record WHERE id >= $1 AND id < $2 AND remainder)`+takenHere, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot count: %w", err)
	}
	return c.stats(), nil
}

// count counts each record of a query once, or takes it off.
func (l *Ledger) count(ctx context.Context, period Period, c *counter, query string, once int64) error {
	from, until := period.keys()
	rows, err := l.db.QueryContext(ctx, l.db.sql(query), l.db.key(from), l.db.key(until))
	return each(rows, err, func(rows *sql.Rows) error {
		var id key
		var answers, language, action, regime sql.RawBytes
		if err := rows.Scan(&id, &answers, &language, &action, &regime); err != nil {
			return err
		}
		if err := c.add(id.time(), answers, language, action, regime, once); err != nil {
			return fmt.Errorf("the record %v: %w", id, err)
		}
		return nil
	})
}

// maxGroups bounds what is counted apart: some 30 MB.
const maxGroups = 100_000

// A counter counts decisions.
type counter struct {
	Grouping
	calendar *calendar.Calendar // nil if the time does not count
	groups   map[group]*Stat
	read     map[string][]verdict
	names    map[string]string // so that each is in memory once
	progress func(int64)
	records  int64
}

// A group is what one Stat counts.
type group struct {
	start                    int64
	category                 consent.Category
	provider                 string
	language, action, regime string
}

func newCounter(g Grouping, progress func(int64)) *counter {
	g.By = g.by()
	c := &counter{Grouping: g, groups: make(map[group]*Stat), read: make(map[string][]verdict), names: make(map[string]string), progress: progress}
	if span := g.Span(); span != "" {
		c.calendar = &calendar.Calendar{Span: calendar.Span(span), Location: cmp.Or(g.Location, time.UTC)}
	}
	return c
}

func (c *counter) add(at int64, answers, language, action, regime []byte, once int64) error {
	if c.records++; c.progress != nil && c.records%10_000 == 0 {
		c.progress(c.records)
	}
	verdicts, err := c.judge(answers)
	if err != nil {
		return fmt.Errorf("its answers cannot be read: %w", err)
	}
	g := group{language: c.name(ByLanguage, language), action: c.name(ByAction, action), regime: c.name(ByRegime, regime)}
	var start time.Time
	if c.calendar != nil {
		start = c.calendar.Start(at)
		g.start = start.UnixMilli()
	}
	for _, v := range verdicts {
		g.category, g.provider = v.category, v.provider
		s := c.groups[g]
		if s == nil {
			if len(c.groups) >= maxGroups {
				return fmt.Errorf("there are more than %d groups; count by less, or a shorter time", maxGroups)
			}
			s = &Stat{Start: start, Category: g.category, Provider: g.provider, Language: g.language, Action: consent.Action(g.action), Regime: g.regime}
			c.groups[g] = s
		}
		s.Decided += once
		switch v.allowed {
		case v.given:
			s.Accepted += once
		case 0:
		default:
			s.Partly += once
		}
	}
	return nil
}

// name returns what a column holds if the grouping names it.
func (c *counter) name(d Dimension, value []byte) string {
	if len(value) == 0 || !c.has(d) {
		return ""
	}
	known, is := c.names[string(value)]
	if !is {
		known = string(value)
		if len(c.names) < maxRead {
			c.names[known] = known
		}
	}
	return known
}

func (c *counter) stats() []Stat {
	all := make([]Stat, 0, len(c.groups))
	for _, s := range c.groups {
		if s.Decided > 0 {
			all = append(all, *s)
		}
	}
	slices.SortFunc(all, func(a, b Stat) int { return a.compare(&b) })
	return all
}

// maxRead is how many different answers are remembered, of which most sites have a
// few.
const maxRead = 1000

// A verdict says how many answers were given for what is counted apart, and how many of
// them allow.
type verdict struct {
	category       consent.Category
	provider       string
	given, allowed int
}

// judge reads the answers of a record.
func (c *counter) judge(text []byte) ([]verdict, error) {
	if verdicts, known := c.read[string(text)]; known {
		return verdicts, nil
	}
	var answers []consent.Answer
	if err := json.Unmarshal(text, &answers); err != nil {
		return nil, err
	}
	var verdicts []verdict
	for _, a := range answers {
		about := verdict{}
		if c.has(ByCategory) {
			about.category = a.Category
		}
		if c.has(ByProvider) {
			about.provider = a.Provider
		}
		i := slices.IndexFunc(verdicts, func(v verdict) bool { return v.category == about.category && v.provider == about.provider })
		if i < 0 {
			i = len(verdicts)
			verdicts = append(verdicts, about)
		}
		verdicts[i].given++
		if a.Allowed {
			verdicts[i].allowed++
		}
	}
	if len(c.read) < maxRead {
		c.read[string(text)] = verdicts
	}
	return verdicts, nil
}
