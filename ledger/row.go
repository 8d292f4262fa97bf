package ledger

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/json"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A row is a record as the tables hold it: a decision, what is left of one that was
// forgotten, or an act.
type row struct {
	id           key
	writer       key
	place        int64  // among the writer's records, from 1
	beforeHash   []byte // of the writer's record before
	hash         []byte
	seal         []byte
	forgotten    int64 // when, or 0
	digest       []byte
	n            int64 // among the visitor's records, from 1; 0 for an act
	previous     key
	previousHash []byte
	reference    key
	decided      int64
	revision     int64 // the bits of an unsigned one
	answers      string
	objection    bool
	gpc          bool
	regime       string
	action       string
	language     string
	notice       []byte
	remainder    bool
	act          string
}

// columns are those of a row that is inserted, in the order of row.values.
const columns = `id, writer, place, before_hash, hash, seal, n, previous, previous_hash, reference, decided, revision, answers, objection, gpc, regime, action, language, notice, remainder, act`

const (
	columnCount = 21
	placeColumn = 2 // counted from 0
)

// whole reads every column of a row, in the order of row.into.
const whole = `SELECT ` + columns + `, forgotten, digest FROM consent_record `

// isDecision is a condition: a record is none of an act. Somebody may have made NULL an empty
// text to hide it; see stored.go.
const isDecision = `coalesce(act, '') = ''`

// values returns the row for columns.
func (r *row) values(d *database) []any {
	return []any{
		d.key(r.id), d.key(r.writer), r.place, nullable(r.beforeHash), r.hash, nullable(r.seal), r.n, d.key(r.previous), nullable(r.previousHash), d.key(r.reference),
		r.decided, r.revision, r.answers, r.objection, r.gpc, r.regime, r.action, r.language, nullable(r.notice), r.remainder, nullable(r.act),
	}
}

// nullable returns v as a parameter that is NULL if it is empty.
func nullable[T []byte | string](v T) any {
	if len(v) == 0 {
		return nil
	}
	return v
}

// orNothing reads NULL as the zero value.
type orNothing[T any] struct{ to *T }

func (o orNothing[T]) Scan(value any) error {
	var read sql.Null[T]
	err := read.Scan(value)
	*o.to = read.V
	return err
}

// into returns where a row of whole is read to.
func (r *row) into() []any {
	return []any{
		&r.id, &r.writer, &r.place, &r.beforeHash, &r.hash, &r.seal, &r.n, &r.previous, &r.previousHash, &r.reference,
		&r.decided, &r.revision, &r.answers, &r.objection, &r.gpc, &r.regime, &r.action, &r.language, &r.notice, &r.remainder,
		orNothing[string]{&r.act}, orNothing[int64]{&r.forgotten}, &r.digest,
	}
}

// content returns the digest of what an erasure takes: SHA-256 over these columns, as
// fields writes them.
func (r *row) content() []byte {
	if r.forgotten != 0 {
		return r.digest
	}
	return make(fields, 0, 512+len(r.answers)+len(r.act)).
		key(r.reference).number(r.decided).number(r.revision).text(r.answers).boolean(r.objection).boolean(r.gpc).
		text(r.regime).text(r.action).text(r.language).bytes(r.notice).boolean(r.remainder).text(r.act).
		sum()
}

// sum returns what the hash of the row is to be. It stays when the row is erased.
func (r *row) sum() []byte {
	return make(fields, 0, 256).
		key(r.id).key(r.writer).number(r.place).bytes(r.beforeHash).number(r.n).key(r.previous).bytes(r.previousHash).bytes(r.content()).
		sum()
}

// sealed is what the seal of the row covers.
func (r *row) sealed() fields { return fields(nil).text("record").bytes(r.hash) }

// compare orders rows by writer and place.
func (r *row) compare(other *row) int {
	return cmp.Or(bytes.Compare(r.writer[:], other.writer[:]), cmp.Compare(r.place, other.place))
}

// isErased reports that nothing is left of what an erasure takes.
func (r *row) isErased() bool {
	left := row{
		id: r.id, writer: r.writer, place: r.place, beforeHash: r.beforeHash, hash: r.hash, seal: r.seal,
		forgotten: r.forgotten, digest: r.digest, n: r.n, previous: r.previous, previousHash: r.previousHash,
	}
	return bytes.Equal(left.plain(), r.plain())
}

// plain is what stands in the columns that an erasure empties.
func (r *row) plain() []byte {
	stands := *r
	stands.forgotten = 0
	return stands.content()
}

// newRow makes the row of a record, as yet without a place in any order.
func newRow(record consent.Record) row {
	answers := record.Answers
	if answers == nil {
		answers = []consent.Answer{}
	}
	at := milliseconds(record.Time)
	r := row{
		id:        newKey(at),
		reference: key(record.Reference),
		decided:   at,
		revision:  int64(record.Revision),
		answers:   compact(answers),
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

// compact returns v as JSON in the bytes that an export has too, so that who reads one
// can compute the hash.
func compact(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // strings, numbers and booleans alone have no such error
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// storable returns s as every database takes it: PostgreSQL knows no NUL, and no
// text that is not UTF-8.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
