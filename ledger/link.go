package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// Users ties the references of visitors to the site's own users, so that a decision
// follows a visitor who signs in to their other devices:
//
//	users.Link(ctx, consent.FromContext(r.Context()).Reference(), account)
//	if record, err := users.Latest(ctx, account); err == nil {
//		err = mw.Restore(w, r, record)
//	}
//
// The ledger holds no user, only an HMAC of their ID. Make it with [Ledger.Users].
type Users struct {
	ledger *Ledger
	secret []byte
}

// Users returns the users whose IDs are hashed with that secret, which the site
// keeps out of the database and does not change: with another one nobody is known
// any more. It is an error if the secret has fewer than 32 bytes.
func (l *Ledger) Users(secret []byte) (*Users, error) {
	if len(secret) < minKey {
		return nil, fmt.Errorf("ledger: a secret has at least %d bytes, this one has %d", minKey, len(secret))
	}
	return &Users{l, append([]byte(nil), secret...)}, nil
}

// A link is a row of consent_link.
type link struct {
	user      []byte
	reference key
	linked    int64
	seal      []byte
}

// sealed is what the seal of the row covers.
func (l *link) sealed() fields {
	return fields(nil).text("link").bytes(l.user).key(l.reference).number(l.linked)
}

// errNoUser keeps those whose ID a site has failed to fill in from sharing a decision.
var errNoUser = errors.New("ledger: a user without an ID is nobody")

// hash returns what the ledger knows of a user.
func (u *Users) hash(user string) []byte {
	h := hmac.New(sha256.New, u.secret)
	h.Write([]byte(user))
	return h.Sum(nil)
}

// Link notes that the visitor of that reference is the user of that ID. For the
// zero reference, of a visitor who has not decided, it does nothing. Link who has signed
// in, and nobody else. The error is that of an empty ID, or the database's.
func (u *Users) Link(ctx context.Context, reference consent.Reference, user string) error {
	if user == "" {
		return errNoUser
	}
	if reference == (consent.Reference{}) {
		return nil
	}
	l := u.ledger
	if l.readOnly {
		return errReadOnly
	}
	made := link{user: u.hash(user), reference: key(reference), linked: milliseconds(time.Now())}
	// One without a seal may be of the time before there was a key, or forged.
	_, err := l.db.ExecContext(ctx, l.db.sql(`INSERT INTO consent_link (user_hash, reference, linked, seal) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_hash, reference) DO UPDATE SET linked = excluded.linked, seal = excluded.seal WHERE consent_link.seal IS NULL AND excluded.seal IS NOT NULL`),
		made.user, l.db.key(made.reference), made.linked, nullable(l.sealer.seal(made.sealed())))
	if err != nil {
		return fmt.Errorf("ledger: cannot link a user: %w", err)
	}
	return nil
}

// Latest returns the last decision of a user on any of their devices, for
// [consent.Middleware.Restore]: by its time, and of two of one time the one that
// allows less. It counts what waits in this process to be written. It has no
// Notice and no Previous. The error is [ErrNoRecord], that of an empty ID, the
// database's, or says that the record is not as it was written.
func (u *Users) Latest(ctx context.Context, user string) (consent.Record, error) {
	l := u.ledger
	references, err := u.references(ctx, user)
	if err != nil {
		return consent.Record{}, err
	}
	var latest *row
	for _, reference := range references {
		// What waits is looked for first, or might be missed as it goes over.
		waits := l.queue.last(reference)
		last, err := l.last(ctx, reference)
		if err != nil {
			return consent.Record{}, err
		}
		if waits != nil && (last == nil || waits.after(last)) {
			last = waits
		}
		if last != nil && (latest == nil || last.after(latest)) {
			latest = last
		}
	}
	if latest == nil {
		return consent.Record{}, ErrNoRecord
	}
	e := latest.entry()
	if latest.place != 0 { // it does not wait
		known, err := l.learned(ctx, []row{*latest}, false)
		if err != nil {
			return consent.Record{}, fmt.Errorf("ledger: cannot check the last decision: %w", err)
		}
		e.check(&known.checker, latest)
	}
	if len(e.Faults) > 0 {
		return consent.Record{}, fmt.Errorf("ledger: %s %s", latest.name(), strings.Join(e.Faults, ", and "))
	}
	return e.record(), nil
}

// References returns the references of a user, in no order: none for somebody who
// was never linked. With [Ledger.History] and [Ledger.Forget] a site answers who
// asks by their account. The error is the database's.
func (u *Users) References(ctx context.Context, user string) ([]consent.Reference, error) {
	keys, err := u.references(ctx, user)
	references := make([]consent.Reference, len(keys))
	for i, k := range keys {
		references[i] = consent.Reference(k)
	}
	return references, err
}

func (u *Users) references(ctx context.Context, user string) (references []key, err error) {
	if user == "" {
		return nil, errNoUser
	}
	l := u.ledger
	rows, err := l.db.QueryContext(ctx, l.db.sql(`SELECT reference, linked, seal FROM consent_link WHERE user_hash = $1`), u.hash(user))
	err = each(rows, err, func(rows *sql.Rows) error {
		made := link{user: u.hash(user)}
		err := rows.Scan(&made.reference, &made.linked, &made.seal)
		if !l.sealer.can() || l.sealer.holds(made.seal, made.sealed()) { // nobody follows a link that was forged
			references = append(references, made.reference)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot read who a user is: %w", err)
	}
	return references, nil
}

// last returns the last record of a visitor; nil if there is none.
func (l *Ledger) last(ctx context.Context, reference key) (*row, error) {
	var r row
	err := l.db.QueryRowContext(ctx, l.db.sql(whole+`WHERE reference = $1 ORDER BY n DESC LIMIT 1`), l.db.key(reference)).Scan(r.into()...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("ledger: cannot read the last decision: %w", err)
	}
	return &r, nil
}

// last returns the last refusal of a visitor that waits to be written; nil for
// none.
func (q *queue) last(reference key) *row {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(q.entries) - 1; i >= 0; i-- {
		// A consent counts once Record has returned to whoever waits for it.
		if e := q.entries[i]; e.done == nil && e.row.reference == reference {
			r := e.row
			return &r
		}
	}
	return nil
}

// after reports whether a visitor who has taken both decisions goes by r.
func (r *row) after(other *row) bool {
	if r.decided != other.decided {
		return r.decided > other.decided
	}
	return r.allows() < other.allows()
}

// allows counts what a decision allows.
func (r *row) allows() (count int) {
	e := r.entry()
	for _, a := range e.Answers {
		if a.Allowed {
			count++
		}
	}
	if !e.Objection {
		count++
	}
	return count
}
