package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// maxLine bounds a line of an export: an opening of a ledger with very many writers.
const maxLine = 64 << 20

// VerifyExport does with an export in the format [JSONLines] what [Ledger.Verify] does
// with the database, away from it. It checks neither the links of users, which no export
// has, nor that each visitor's records follow on one another across writers, which the
// hashes of the writers' imply. Of a period that has limits it cannot tell what is missing
// but by the sum of all lines, which is worth something only with a seal: see Report.Partial.
// A line that an export would not write in these very bytes is a fault, since another program may
// read something else in it.
//
// It keeps the acts in memory, and no other records. Progress, if not nil, is called now
// and then with the number of records read. The error is r's, names the mistakes in the
// configuration, or says which line is not one of an export.
func VerifyExport(r io.Reader, config Config, progress func(records int64), anchors ...Anchor) (Report, error) {
	sealer, err := newSealer(config.Keys)
	if err != nil {
		return Report{}, err
	}
	report := Report{SealsChecked: sealer.can()}
	x := &exportVerification{verification: newVerification(&report, sealer), anchors: anchors, progress: progress}
	if err := x.read(r); err != nil {
		return report, fmt.Errorf("ledger: cannot verify the export: %w", err)
	}
	return report, nil
}

// An exportVerification is one run of VerifyExport.
type exportVerification struct {
	*verification
	anchors  []Anchor
	progress func(int64)
	lines    int64
	learned  bool  // the acts are complete
	acts     []row // those that are still to be added, by writer and place
	last     *exportEnd
	records  int64
	torn     bool                      // the lines are not all that were written
	keep     func(*table, []any) error // is given the row of each line; nil if nobody asks
}

// read reads all lines.
func (x *exportVerification) read(r io.Reader) error {
	sum := sha256.New()
	lines := bufio.NewReaderSize(r, 1<<16)
	for {
		text, err := readLine(lines)
		if err == io.EOF && len(text) == 0 {
			break
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", x.lines+1, err)
		}
		if x.last != nil {
			return fmt.Errorf("line %d comes after the end", x.lines+1)
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("line %d: %w", x.lines+1, err)
		}
		if x.lines == 0 && (l.Export == nil || l.Export.Version != exportVersion) {
			return fmt.Errorf("line 1 is not the beginning of an export as jsonl, of version %d", exportVersion)
		}
		if l.End != nil {
			if l.End.Lines != x.lines || !bytes.Equal(l.End.Sum, sum.Sum(nil)) {
				x.torn = true
				x.report.fault("the lines of the export are not those that were written")
			} else if x.can() && !x.holds(l.End.Seal, l.End.sealed()) {
				x.report.fault("the end of the export has no seal by the key")
			}
			x.last = l.End
			continue
		}
		sum.Write(text)
		x.lines++
		if x.lines > 1 && l.Export != nil {
			return fmt.Errorf("line %d begins another export", x.lines)
		}
		if err := x.readOne(&l, text); err != nil {
			return fmt.Errorf("line %d: %w", x.lines, err)
		}
	}
	if x.lines == 0 {
		return errors.New("it is empty")
	}
	if x.last == nil {
		x.torn = true
		x.report.fault("the export has no end: something is missing")
	}
	if err := x.learnActs(); err != nil {
		return err
	}
	x.addActs(nil)
	x.finish()
	x.report.Anchor.Time = time.Now().UTC().Truncate(time.Second)
	x.report.Anchor.Records, x.report.Anchor.Forgotten, x.report.Anchor.Purged = x.report.Records, x.forgotten, x.report.Purged
	return nil
}

// readLine reads a line with its end.
func readLine(r *bufio.Reader) (text []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		text = append(text, part...)
		if err != bufio.ErrBufferFull || len(text) > maxLine {
			return text, err
		}
	}
}

// readOne reads one line.
func (x *exportVerification) readOne(l *line, text []byte) error {
	switch {
	case l.Export != nil:
		x.partial = l.Export.From != nil || l.Export.Until != nil
		x.report.Partial = x.partial
		return x.compareLine(l, text)
	case l.Writer != nil:
		w := writerRow{id: l.Writer.ID, opened: l.Writer.Opened, head: l.Writer.Head, seal: l.Writer.Seal}
		if l.Writer.Written != nil {
			w.written = sql.NullInt64{Int64: *l.Writer.Written, Valid: true}
		}
		x.addWriter(w)
		return errors.Join(x.compareLine(l, text), x.kept(writerTable, w.values()))
	case l.Notice != nil:
		x.addNotice(l.Notice.Fingerprint, []byte(l.Notice.Content))
		return errors.Join(x.compareLine(l, text), x.kept(noticeTable, []any{[]byte(l.Notice.Fingerprint), l.Notice.Content}))
	}
	r, told, err := readEntry(text)
	if err == nil {
		e := r.entry()
		e.Checked, e.Faults = told.Checked, told.Faults
		err = x.compareLine(e, text)
	}
	if err == nil {
		err = x.kept(recordTable, r.all())
	}
	if err != nil {
		return err
	}
	if x.records++; x.progress != nil && x.records%10_000 == 0 {
		x.progress(x.records)
	}
	if r.act != "" {
		if x.learned {
			return errors.New("an act comes after the records")
		}
		x.acts = append(x.acts, r)
		return nil
	}
	if err := x.learnActs(); err != nil {
		return err
	}
	x.addActs(&r)
	x.add(&r)
	return nil
}

// compareLine finds what a line says and an export would not. A name that stands in it twice, or
// in other letters, is read in one way here and in another by the next program.
func (x *exportVerification) compareLine(read any, text []byte) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(read); err != nil {
		return err
	}
	if !bytes.Equal(bytes.TrimRight(b.Bytes(), "\n"), bytes.TrimRight(text, "\n")) {
		x.report.fault("line %d of the export is not as an export writes it", x.lines)
	}
	return nil
}

// kept hands the row of a line on.
func (x *exportVerification) kept(t *table, values []any) error {
	if x.keep == nil {
		return nil
	}
	return x.keep(t, values)
}

// learnActs learns what the acts say, once.
func (x *exportVerification) learnActs() error {
	if x.learned {
		return nil
	}
	x.learned = true
	x.learn(x.acts)
	slices.SortFunc(x.acts, func(a, b row) int { return a.compare(&b) })
	return x.hold(x.anchors)
}

// addActs adds the acts that come before a record; all for nil.
func (x *exportVerification) addActs(before *row) {
	for len(x.acts) > 0 && (before == nil || x.acts[0].compare(before) < 0) {
		x.add(&x.acts[0])
		x.acts = x.acts[1:]
	}
}

// readEntry reads the row that a line of an export was made of, and what the line says of it.
func readEntry(text []byte) (row, Entry, error) {
	var e struct {
		Entry
		Answers json.RawMessage `json:"answers"` // in the bytes that were hashed
		Regime  string          `json:"regime"`  // whatever it says
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return row{}, e.Entry, err
	}
	r := row{
		place: e.Place, n: e.Number, decided: milliseconds(e.Time), revision: int64(e.Revision), answers: string(e.Answers),
		objection: e.Objection, gpc: e.GPC, regime: e.Regime, action: string(e.Action), language: e.Language, remainder: e.Remainder, act: string(e.Act),
	}
	var wrong []error
	for _, field := range []struct {
		text string
		to   *key
	}{{e.ID, &r.id}, {e.Writer, &r.writer}, {e.Previous, &r.previous}, {e.Reference, &r.reference}} {
		if field.text != "" {
			wrong = append(wrong, field.to.UnmarshalText([]byte(field.text)))
		}
	}
	for _, field := range []struct {
		text string
		to   *[]byte
	}{{e.PreviousHash, &r.previousHash}, {e.BeforeHash, &r.beforeHash}, {e.Hash, &r.hash}, {e.Seal, &r.seal}, {e.Notice, &r.notice}, {e.Digest, &r.digest}} {
		b, err := hex.DecodeString(field.text)
		*field.to = b
		wrong = append(wrong, err)
	}
	if r.act != "" || e.Forgotten != nil {
		r.answers, r.regime = "", ""
	}
	if e.Forgotten != nil {
		r.forgotten, r.decided = milliseconds(*e.Forgotten), 0
	}
	return r, e.Entry, errors.Join(wrong...)
}
