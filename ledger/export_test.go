package ledger

import "context"

// Exec runs a statement as the ledger's own session.
func (l *Ledger) Exec(statement string) error {
	_, err := l.db.ExecContext(context.Background(), statement)
	return err
}

// HoldDisk keeps the ledger from its spool, as a disk does that does not answer, until
// release is called.
func (l *Ledger) HoldDisk() (release func()) {
	l.spool.disk.Lock()
	return l.spool.disk.Unlock
}
