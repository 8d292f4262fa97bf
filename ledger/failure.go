package ledger

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
)

// code returns the code of a database's own error: PostgreSQL's five characters, or
// SQLite's number.
func code(err error) (state string, number int) {
	var postgres interface{ SQLState() string }
	if errors.As(err, &postgres) {
		return postgres.SQLState(), 0
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return "", lite.Code()
	}
	return "", 0
}

// collided reports that somebody else was at the same rows at the same moment, and
// that nothing was written.
func collided(err error) bool {
	state, number := code(err)
	switch state {
	case "23502", "23505", "40001", "40P01": // not_null_violation (see insertStatement), unique_violation, serialization_failure, deadlock_detected
		return true
	}
	switch number {
	case 1299, 1555, 2067: // a value that may not be null (see insertStatement), a primary key, or another unique one
		return true
	}
	return number&0xff == 5 || number&0xff == 6 // busy, locked
}

// unacceptable reports that the database will never take what it was given.
func unacceptable(err error) bool {
	state, number := code(err)
	switch number & 0xff {
	case 18, 19, 20: // too big, constraint, mismatch
		return true
	}
	return strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23") || state == "54000"
}
