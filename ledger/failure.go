package ledger

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
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

// turnedReadOnly reports that the session takes no writes, or no more.
func turnedReadOnly(err error) bool {
	state, _ := code(err)
	return state == "25006" // read_only_sql_transaction
}

// A lasting error is of what does not pass by waiting.
type lasting struct{ error }

func (l lasting) Unwrap() error { return l.error }

// isLasting reports that a ledger cannot be opened until somebody changes something.
// Everything else may be a database that is not there yet.
func isLasting(err error) bool {
	var own lasting
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &own) || errors.As(err, &certificate) {
		return true
	}
	state, number := code(err)
	switch number & 0xff {
	case 1, 3, 8, 11, 14, 23, 26: // an error in SQL, no permission, read-only, corrupt, cannot open, no authorization, not a database
		return true
	}
	if state == "08P01" { // protocol_violation, which is PgBouncer's code for almost everything
		return saysOf(err, "unsupported startup parameter", "pooling mode", "no such database", "no such user")
	}
	if state == "26000" { // invalid_sql_statement_name: see explain
		return true
	}
	// Features that are missing, who may connect, which database and which schema, and
	// what may not or cannot be asked: classes 0A, 28, 3D, 3F and 42.
	return len(state) == 5 && strings.Contains("0A 28 3D 3F 42 ", state[:2]+" ")
}

// saysOf reports that an error has one of these words.
func saysOf(err error, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(err.Error(), word) })
}

// explain adds to an error of a database what a site can do about it.
func explain(err error) error {
	state, _ := code(err)
	said := ""
	switch {
	case err == nil:
		return nil
	case state == "25006":
		said = "the server takes no writes; with several hosts in the URL, target_session_attrs=read-write finds the one that does"
	case state == "08P01" && saysOf(err, "unsupported startup parameter"):
		said = "a pooler stands in front of the server: name the parameter in its ignore_startup_parameters, and set it for the role (ALTER ROLE … SET …) if it is of use"
	case state == "08P01" && saysOf(err, "pooling mode"):
		said = "a record takes a transaction: have the pooler use pool_mode = transaction, or session"
	case state == "26000", state == "42P05": // a prepared statement that is not there, or is already
		said = "a pooler stands in front of the server and takes prepared statements apart: open the database with default_query_exec_mode=exec"
	default:
		return err
	}
	return fmt.Errorf("%w (%s)", err, said)
}

// forLog returns an error as the log may hold it. What a database says of a value that it
// does not take may quote the value, which is a visitor's.
func forLog(err error) error {
	state, number := code(err)
	switch {
	case !unacceptable(err):
		return err
	case state != "":
		return fmt.Errorf("SQLSTATE %s", state)
	}
	return fmt.Errorf("SQLite's error %d", number)
}
