package ledger

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// A Period is the time from its first moment until just before its end. The zero
// value of either means that there is no such limit; the zero Period is all time.
type Period struct {
	From, Until time.Time
}

// keys returns the first key of the period, and the first after it.
func (p Period) keys() (from, until key) {
	until = key{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if !p.From.IsZero() {
		from = firstKey(milliseconds(p.From))
	} else {
		from = firstKey(0)
	}
	if !p.Until.IsZero() {
		until = firstKey(milliseconds(p.Until))
	}
	return from, until
}

// entries calls do with each entry of the period, by time, and progress now and
// then.
func (l *Ledger) entries(ctx context.Context, p Period, progress func(int64), do func(*Entry) error) error {
	from, until := p.keys()
	rows, err := l.db.QueryContext(ctx, l.db.sql(whole+`WHERE id >= $1 AND id < $2 ORDER BY id`), l.db.key(from), l.db.key(until))
	count := int64(0)
	return each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			return err
		}
		if count++; progress != nil && count%10_000 == 0 {
			progress(count)
		}
		e, err := r.entry()
		if err != nil {
			return err
		}
		return do(&e)
	})
}

// A Format is how [Ledger.Export] writes records.
type Format string

const (
	CSV       Format = "csv"   // comma-separated values (RFC 4180) with a line of names; answers as JSON
	JSONLines Format = "jsonl" // a JSON object a line, as Entry has it
)

// Export writes the records of a period to w, forgotten ones as well, by time. It
// keeps none in memory. Progress, if not nil, is called now and then with the number
// of records read. The error is that of the database, or w's.
func (l *Ledger) Export(ctx context.Context, w io.Writer, format Format, period Period, progress func(records int64)) error {
	var err error
	switch format {
	case CSV:
		err = l.exportCSV(ctx, w, period, progress)
	case JSONLines:
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		err = l.entries(ctx, period, progress, func(e *Entry) error { return lines.Encode(e) })
	default:
		err = errors.New("csv and jsonl are the formats")
	}
	if err != nil {
		return fmt.Errorf("ledger: cannot export as %q: %w", format, err)
	}
	return nil
}

func (l *Ledger) exportCSV(ctx context.Context, w io.Writer, period Period, progress func(int64)) error {
	table := csv.NewWriter(w)
	err := table.Write([]string{"id", "time", "reference", "number", "previous", "answers", "objection", "gpc", "regime", "revision", "action", "language", "notice", "hash", "forgotten"})
	if err != nil {
		return err
	}
	err = l.entries(ctx, period, progress, func(e *Entry) error {
		answers, err := json.Marshal(e.Answers)
		if err != nil {
			return err
		}
		forgotten := ""
		if e.Forgotten != nil {
			forgotten = e.Forgotten.Format(time.RFC3339Nano)
		}
		return table.Write([]string{
			e.ID, e.Time.Format(time.RFC3339Nano), e.Reference, strconv.FormatInt(e.Number, 10), e.Previous, string(answers),
			strconv.FormatBool(e.Objection), strconv.FormatBool(e.GPC), e.Regime.String(), strconv.FormatUint(e.Revision, 10), string(e.Action), e.Language, e.Notice, e.Hash, forgotten,
		})
	})
	if err != nil {
		return err
	}
	table.Flush()
	return table.Error()
}
