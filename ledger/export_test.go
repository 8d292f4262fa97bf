package ledger

import "context"

// Exec runs a statement as the ledger's own session.
func (l *Ledger) Exec(statement string) error {
	_, err := l.db.ExecContext(context.Background(), statement)
	return err
}
