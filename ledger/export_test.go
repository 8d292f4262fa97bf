package ledger

import (
	"context"
	"database/sql"
	"testing"
)

// Exec runs a statement as the ledger's own session.
func (l *Ledger) Exec(statement string) error {
	_, err := l.db.ExecContext(context.Background(), statement)
	return err
}

// EachSession runs a statement in every session of the pool that nobody uses, and makes
// sure that there are some.
func (l *Ledger) EachSession(t *testing.T, statement string) {
	t.Helper()
	sessions := make([]*sql.Conn, max(2, l.db.Stats().Idle))
	for i := range sessions {
		session, err := l.db.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
		sessions[i] = session
	}
	for _, session := range sessions {
		session.Close()
	}
}

// HoldDisk keeps the ledger from its spool, as a disk does that does not answer, until
// release is called.
func (l *Ledger) HoldDisk() (release func()) {
	l.spool.disk.Lock()
	return l.spool.disk.Unlock
}
