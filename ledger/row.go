package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A row is a record as the tables hold it.
type row struct {
	id           key
	writer       key
	place        int64 // among the writer's records, from 1
	hash         []byte
	forgotten    int64 // when, or 0
	reference    key
	n            int64 // among the visitor's records, from 1
	previous     key
	previousHash []byte
	decided      int64
	revision     int64 // the bits of an unsigned one
	answers      string
	objection    bool
	gpc          bool
	regime       string
	action       string
	language     string
	notice       []byte
}

// columns are a row's, in the order of row.values and row.into.
const columns = `id, writer, place, hash, reference, n, previous, previous_hash, decided, revision, answers, objection, gpc, regime, action, language, notice`

const (
	columnCount = 17
	placeColumn = 2 // counted from 0
)

// whole reads every column of a row, erased ones too.
const whole = `SELECT id, writer, place, hash, reference, coalesce(n, 0), previous, previous_hash, decided, revision, answers, objection, gpc, regime, action, language, notice, coalesce(forgotten, 0) FROM consent_record `

// values returns the row for columns.
func (r *row) values(d *database) []any {
	return []any{
		d.key(r.id), d.key(r.writer), r.place, r.hash, d.key(r.reference), r.n, d.key(r.previous), r.previousHash,
		r.decided, r.revision, r.answers, r.objection, r.gpc, r.regime, r.action, r.language, r.notice,
	}
}

// into returns where a row of whole is read to.
func (r *row) into() []any {
	return []any{
		&r.id, &r.writer, &r.place, &r.hash, &r.reference, &r.n, &r.previous, &r.previousHash,
		&r.decided, &r.revision, &r.answers, &r.objection, &r.gpc, &r.regime, &r.action, &r.language, &r.notice, &r.forgotten,
	}
}

// sum returns what the hash of the row is to be: SHA-256 over its other columns, but
// for forgotten, in the order of columns. Each is written as its length in bytes in
// decimal, a colon, and itself: keys and hashes as their bytes, nothing where they are
// null, numbers in decimal, booleans as "true" or "false".
func (r *row) sum() []byte {
	b := make([]byte, 0, 512+len(r.answers))
	text := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(append(b, ':'), s...)
	}
	id := func(k key) {
		if k == (key{}) {
			text("")
		} else {
			text(string(k[:]))
		}
	}
	id(r.id)
	id(r.writer)
	text(strconv.FormatInt(r.place, 10))
	id(r.reference)
	text(strconv.FormatInt(r.n, 10))
	id(r.previous)
	text(string(r.previousHash))
	text(strconv.FormatInt(r.decided, 10))
	text(strconv.FormatInt(r.revision, 10))
	text(r.answers)
	text(strconv.FormatBool(r.objection))
	text(strconv.FormatBool(r.gpc))
	text(r.regime)
	text(r.action)
	text(r.language)
	text(string(r.notice))
	sum := sha256.Sum256(b)
	return sum[:]
}

// newRow makes the row of a record, as yet without a place in any order.
func newRow(record consent.Record) row {
	answers := record.Answers
	if answers == nil {
		answers = []consent.Answer{}
	}
	text, err := json.Marshal(answers)
	if err != nil {
		panic(err) // strings and booleans alone have no such error
	}
	at := milliseconds(record.Time)
	r := row{
		id:        newKey(at),
		reference: key(record.Reference),
		decided:   at,
		revision:  int64(record.Revision),
		answers:   string(text),
		objection: record.Objection,
		gpc:       record.GPC,
		regime:    record.Regime.String(),
		action:    storable(string(record.Evidence.Action)),
	}
	if record.Evidence.Language != (language.Tag{}) {
		r.language = storable(record.Evidence.Language.String())
	}
	if record.Evidence.Notice != nil {
		fingerprint := record.Evidence.Notice.Fingerprint()
		r.notice = fingerprint[:]
	}
	return r
}

// storable returns s as every database takes it: PostgreSQL knows no NUL, and no
// text that is not UTF-8.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
