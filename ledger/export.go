package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
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

// entries calls do with each record of the period that is no act, in an order that
// is SQL, and progress now and then.
func (l *Ledger) entries(ctx context.Context, db querier, p Period, c *checker, order string, progress func(int64), do func(*Entry) error) error {
	from, until := p.keys()
	rows, err := db.QueryContext(ctx, l.db.sql(whole+`WHERE id >= $1 AND id < $2 AND `+isDecision+` ORDER BY `+order), l.db.key(from), l.db.key(until))
	read := int64(0)
	return each(rows, err, func(rows *sql.Rows) error {
		if read++; progress != nil && read%10_000 == 0 {
			progress(read)
		}
		var r row
		failed := rows.Scan(r.into()...)
		e := r.entry()
		if failed != nil {
			e.Faults = append(e.Faults, "cannot be read: "+failed.Error())
		}
		e.check(c, &r)
		return do(&e)
	})
}

// A Format is how [Ledger.Export] writes records.
type Format string

const (
	CSV       Format = "csv"   // comma-separated values (RFC 4180) with a line of names; answers as JSON
	JSONLines Format = "jsonl" // a JSON object a line, with all that [VerifyExport] needs
)

// Export writes the records of a period to w, forgotten ones as well, and says of each
// whether it is as it was written. It keeps none in memory. Records may be added
// meanwhile. Progress, if not nil, is called now and then with the number of records read.
// The error is that of the database, or w's.
//
// CSV holds the records by time. JSONLines holds all that is needed to verify them
// elsewhere, an object a line:
//   - {"export":…}, the first: the version of this format, which is 1, and the Period,
//     if it has limits;
//   - {"consent_writer":…} and {"consent_notice":…} for each row of these tables;
//   - each record, as [Entry] has it: all acts by time, and then the records of the period
//     by writer and place;
//   - {"end":…}, the last: how many lines came before, the SHA-256 sum of their bytes, and
//     a seal, if the ledger has keys.
func (l *Ledger) Export(ctx context.Context, w io.Writer, format Format, period Period, progress func(records int64)) error {
	var do func(context.Context, querier, io.Writer, Period, *checker, []row, func(int64)) error
	switch format {
	case CSV:
		do = l.exportCSV
	case JSONLines:
		do = l.exportLines
	default:
		return fmt.Errorf("ledger: cannot export as %q: csv and jsonl are the formats", format)
	}
	if err := l.readable(); err != nil {
		return err
	}
	tx, err := l.db.BeginTx(ctx, l.db.snapshot)
	if err == nil {
		defer tx.Rollback()
		var acts []row
		if acts, err = readActs(ctx, tx, allActs...); err == nil {
			c := &checker{sealer: l.sealer}
			c.learnVouches(acts)
			err = do(ctx, tx, w, period, c, acts, progress)
		}
	}
	if err != nil {
		return fmt.Errorf("ledger: cannot export as %q: %w", format, err)
	}
	return nil
}

// exportVersion is that of the lines of an export.
const exportVersion = 1

// A line is one of an export that is no record. One of the fields is set.
type line struct {
	Export *exportBegin  `json:"export,omitempty"`
	Writer *exportWriter `json:"consent_writer,omitempty"`
	Notice *exportNotice `json:"consent_notice,omitempty"`
	End    *exportEnd    `json:"end,omitempty"`
}

type exportBegin struct {
	Version int        `json:"version"`
	From    *time.Time `json:"from,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
}

type exportWriter struct {
	ID      key         `json:"id"`
	Opened  int64       `json:"opened"`
	Written *int64      `json:"written"`
	Head    hexadecimal `json:"head"`
	Seal    hexadecimal `json:"seal,omitempty"`
}

type exportNotice struct {
	Fingerprint hexadecimal `json:"fingerprint"`
	Content     string      `json:"content"` // a string, since its bytes are what counts
}

type exportEnd struct {
	Lines int64       `json:"lines"`
	Sum   hexadecimal `json:"sha256"`
	Seal  hexadecimal `json:"seal,omitempty"`
}

// sealed is what the seal of the end covers.
func (e *exportEnd) sealed() fields { return fields(nil).text("export").number(e.Lines).bytes(e.Sum) }

func (l *Ledger) exportLines(ctx context.Context, db querier, w io.Writer, period Period, c *checker, acts []row, progress func(int64)) error {
	sum := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(w, sum))
	lines.SetEscapeHTML(false)
	written := int64(0)
	write := func(v any) error {
		written++
		return lines.Encode(v)
	}
	begin := exportBegin{Version: exportVersion}
	if !period.From.IsZero() {
		begin.From = &period.From
	}
	if !period.Until.IsZero() {
		begin.Until = &period.Until
	}
	err := write(line{Export: &begin})
	if err != nil {
		return err
	}
	err = eachWriter(ctx, db, func(r writerRow) error {
		of := &exportWriter{ID: r.id, Opened: r.opened, Head: r.head, Seal: r.seal}
		if r.written.Valid {
			of.Written = &r.written.Int64
		}
		return write(line{Writer: of})
	})
	if err != nil {
		return err
	}
	err = eachNotice(ctx, db, func(fingerprint, content []byte) error {
		return write(line{Notice: &exportNotice{fingerprint, string(content)}})
	})
	if err != nil {
		return err
	}
	for i := range acts {
		e := acts[i].entry()
		e.check(c, &acts[i])
		if err := write(e); err != nil {
			return err
		}
	}
	if err := l.entries(ctx, db, period, c, "writer, place", progress, func(e *Entry) error { return write(e) }); err != nil {
		return err
	}
	end := &exportEnd{Lines: written, Sum: sum.Sum(nil)}
	end.Seal = l.sealer.seal(end.sealed())
	return write(line{End: end})
}

func (l *Ledger) exportCSV(ctx context.Context, db querier, w io.Writer, period Period, c *checker, _ []row, progress func(int64)) error {
	table := csv.NewWriter(w)
	err := table.Write([]string{"id", "time", "reference", "number", "previous", "answers", "objection", "gpc", "regime", "revision", "action", "language", "notice", "hash", "forgotten", "remainder", "checked", "faults"})
	if err != nil {
		return err
	}
	err = l.entries(ctx, db, period, c, "id", progress, func(e *Entry) error {
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
			strconv.FormatBool(e.Remainder), string(e.Checked), strings.Join(e.Faults, "; "),
		})
	})
	if err != nil {
		return err
	}
	table.Flush()
	return table.Error()
}
