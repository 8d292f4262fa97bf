package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Import puts what a file holds into an empty database at url, of either kind, and makes the
// tables there. The file is one of [Ledger.Backup], or an export as [JSONLines] of all time,
// which has everything but the links of users: they sign in once more, and until then their
// decision holds in the browsers that have it. Records, notices and the rows of writers stay
// what they are, hashes and seals included: what was an [Anchor] of the ledger is one still. Of
// the Config it takes the keys alone, by which it checks seals; a ledger without keys is
// imported without.
//
// All is there in the end, or nothing: it is one transaction, which reads everything again
// before it commits. Nobody else can begin to write there meanwhile. It takes the same memory
// for a ledger of any size. Progress, if not nil, is called now and then with the number
// of rows.
//
// The error is that of the file or of the database, and says so if the database holds a ledger in which
// something was written already. If records are not as they were written, nothing is
// imported either, unless accept returns true for what Verify says of them. It may be nil.
func Import(ctx context.Context, path, url string, config Config, accept func(Report) bool, progress func(rows int64)) (Report, error) {
	sealer, err := newSealer(config.Keys)
	if err != nil {
		return Report{}, err
	}
	i := &importing{sealer: sealer, path: path, accept: accept, progress: progress}
	read, err := i.source() // before a file is made for it
	if err != nil {
		return Report{}, fmt.Errorf("ledger: cannot import %s: %w", path, err)
	}
	db, err := connect(url, toFill)
	if err != nil {
		return Report{}, err
	}
	i.db = db
	report, err := i.run(ctx, read)
	if err = errors.Join(explain(err), db.close()); err != nil {
		return report, fmt.Errorf("ledger: cannot import %s into %s: %w", path, db.name, err)
	}
	return report, nil
}

// An importing is one run of Import.
type importing struct {
	db       *database
	sealer   sealer
	path     string
	accept   func(Report) bool
	progress func(int64)
}

func (i *importing) run(ctx context.Context, read func(context.Context, *carrier) error) (report Report, err error) {
	if err := i.db.migrate(ctx); err != nil {
		return report, err
	}
	if err := i.db.checkDurable(ctx, i.db.DB); err != nil {
		return report, err
	}
	tx, err := i.db.fill(ctx)
	if err != nil {
		return report, err
	}
	defer tx.Rollback() // does nothing after the commit
	c := newCarrier(i.db, tx, i.progress)
	if err := read(ctx, c); err != nil {
		return report, err
	}
	if err := c.put.isIn(ctx, tx); err != nil {
		return report, err
	}
	if report, err = verifyTables(ctx, i.db, tx, i.sealer, nil); err != nil {
		return report, err
	}
	if !report.OK() && (i.accept == nil || !i.accept(report)) {
		return report, fmt.Errorf("it has %d faults, and nothing was imported: %s", report.FaultCount, report.Faults[0])
	}
	return report, tx.Commit()
}

// source returns what reads the file.
func (i *importing) source() (read func(context.Context, *carrier) error, err error) {
	file, err := os.Open(i.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	begins := make([]byte, 16)
	n, err := io.ReadFull(file, begins)
	switch {
	case bytes.Equal(begins, []byte("SQLite format 3\x00")):
		return i.readBackup, nil
	case bytes.HasPrefix(begins, []byte(`{"export":`)):
		return i.readExport, nil
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	}
	return nil, fmt.Errorf("it begins with %.16q, and is neither a backup nor an export as jsonl", begins[:n])
}

func (i *importing) readBackup(ctx context.Context, c *carrier) error {
	from, err := OpenReadOnly(ctx, i.path, Config{Keys: i.sealer.keys})
	if err != nil {
		return err
	}
	tx, err := from.db.BeginTx(ctx, from.db.snapshot)
	if err == nil {
		err = c.carry(ctx, tx)
		tx.Rollback()
	}
	return errors.Join(err, from.Close(ctx)) // which says if somebody has written to it meanwhile
}

func (i *importing) readExport(ctx context.Context, c *carrier) error {
	file, err := os.Open(i.path)
	if err != nil {
		return err
	}
	defer file.Close()
	report := new(Report)
	x := &exportVerification{verification: newVerification(report, i.sealer), keep: func(t *table, values []any) error { return c.add(ctx, t, values) }}
	switch err := x.read(file); {
	case err != nil:
		return err
	case x.partial:
		return errors.New("it is an export of a part: export all of the ledger")
	case x.torn:
		return errors.New("its lines are not all that were written")
	}
	return c.flush(ctx)
}

// values returns the row of a writer in the order of writerTable.
func (r *writerRow) values() []any {
	written := any(nil)
	if r.written.Valid {
		written = r.written.Int64
	}
	return []any{r.id, r.opened, written, nullable(r.head), nullable(r.seal)}
}

// all returns a row in the order of recordTable.
func (r *row) all() []any {
	forgotten := any(nil)
	if r.forgotten != 0 {
		forgotten = r.forgotten
	}
	return []any{
		nullableKey(r.id), nullableKey(r.writer), r.place, nullable(r.beforeHash), r.hash, nullable(r.seal), r.n, nullableKey(r.previous), nullable(r.previousHash),
		nullableKey(r.reference), r.decided, r.revision, r.answers, r.objection, r.gpc, r.regime, r.action, r.language, nullable(r.notice), r.remainder,
		nullable(r.act), forgotten, nullable(r.digest),
	}
}

// nullableKey returns a key, or nil for the zero one.
func nullableKey(k key) any {
	if k == (key{}) {
		return nil
	}
	return k
}
