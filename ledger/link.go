package ledger

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// Users know which decisions the site's own users have taken while signed in, so that
// these hold on their other devices. Only such a decision counts for an account: neither
// one that was taken in the same browser before the sign-in or after the sign-out, by
// whoever, nor one that a Restore has put there. Make it with [Ledger.Users].
//
//	site, err := charter.New(charter.Config{Middleware: mw, Account: userID, Accounts: users})
//
// A site without package charter calls [Users.Wrap], and [consent.Middleware.Restore] and
// Unlink at the sign-in and the sign-out:
//
//	handler := mw.Wrap(users.Wrap(site, userID, failed)) // each decision of who is signed in
//
//	record, err := users.Latest(ctx, user) // the zero Record with ErrNoRecord
//	err = mw.Restore(w, r, record)
//	here := consent.FromContext(r.Context())
//	err = users.Restored(ctx, here.Reference(), here.DecidedAt(), user)
//
// The ledger holds no user, only an HMAC of their ID.
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
	decided   int64 // with the reference, which decision; below 0 for a copy: minus its time
	seal      []byte
}

// sealed is what the seal of the row covers.
func (l *link) sealed() fields {
	return fields(nil).text("link").bytes(l.user).key(l.reference).number(l.decided)
}

// isCopy reports that nobody has decided there: a Restore has put a decision there.
func (l *link) isCopy() bool { return l.decided < 0 }

// errNoUser keeps those whose ID a site has failed to fill in from sharing a decision.
var errNoUser = errors.New("ledger: a user without an ID is nobody")

// hash returns what the ledger knows of a user.
func (u *Users) hash(user string) []byte {
	h := hmac.New(sha256.New, u.secret)
	h.Write([]byte(user))
	return h.Sum(nil)
}

// Wrap returns a handler that serves as next does, and links each decision that is
// saved meanwhile to the user who was signed in when the request came: account returns their
// ID, or "" for nobody. Put it inside of [consent.Middleware.Wrap], around the charter too. If a decision
// cannot be linked yet, it counts in this browser alone until it is, and failed is told, unless it is nil.
func (u *Users) Wrap(next http.Handler, account func(*http.Request) string, failed func(*http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := account(r)
		if user == "" {
			next.ServeHTTP(w, r)
			return
		}
		came := time.Now().Truncate(time.Millisecond)
		before := consent.FromContext(r.Context()).DecidedAt()
		defer func() { // also if next panics: the decision may have left
			visitor := consent.FromContext(r.Context())
			decided := visitor.DecidedAt()
			if !decided.After(before) || decided.Before(came) { // what a Restore has put there is older
				return
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxLinking)
			defer cancel()
			if err := u.Link(ctx, visitor.Reference(), decided, user); err != nil && failed != nil {
				failed(r, err)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// maxLinking is how long a response waits for a link.
const maxLinking = 10 * time.Second

// Link notes that the user of that ID has taken the decision of that reference and
// time while signed in: [consent.Preferences.Reference] and DecidedAt after a Save. Of each
// reference the newest counts. For the zero reference, of a visitor who has not decided, it
// does nothing. [Users.Wrap] calls it for each Save.
//
// The error is that of an empty ID, that the ledger was opened to be read, or the database's.
// After one of the database the link waits as a refusal does, on the disk of this machine too
// (see [Config.Spool]), and is written once the database takes it: a user may have signed out
// before that. It may be made once more meanwhile, which changes nothing.
func (u *Users) Link(ctx context.Context, reference consent.Reference, decided time.Time, user string) error {
	if user == "" {
		return errNoUser
	}
	if reference == (consent.Reference{}) {
		return nil
	}
	return u.ledger.linkOrWait(ctx, link{user: u.hash(user), reference: key(reference), decided: milliseconds(decided)})
}

// Restored notes that a [consent.Middleware.Restore] has brought the decision of a user's
// account to a browser, where it was recorded under that reference and time:
// [consent.Preferences.Reference] and DecidedAt after it. [Users.References] and
// [Users.Forget] then know of this copy; [Users.Latest] does not count it, since nobody has
// decided there. Package charter calls it after each of its own. For the zero reference, of a
// browser that has no copy, it does nothing, and nothing if they have decided under it. The errors
// are those of [Users.Link].
func (u *Users) Restored(ctx context.Context, reference consent.Reference, decided time.Time, user string) error {
	if user == "" {
		return errNoUser
	}
	if reference == (consent.Reference{}) {
		return nil
	}
	return u.ledger.linkOrWait(ctx, link{user: u.hash(user), reference: key(reference), decided: -milliseconds(decided)})
}

// Latest returns the last decision that a user has taken on any of their devices while
// signed in, for [consent.Middleware.Restore]: by its time, and of two of one time the
// one that allows less. It counts what waits in this process to be written. What waits in another one
// it knows of, and then hands on nothing older. It has no Notice and no
// Previous. The error is [ErrNoRecord], also if the last decision is not in the ledger, that of an empty
// ID, the database's, or says that the record is not as it was written.
func (u *Users) Latest(ctx context.Context, user string) (consent.Record, error) {
	l := u.ledger
	links, err := u.links(ctx, user)
	if err != nil {
		return consent.Record{}, err
	}
	slices.SortFunc(links, func(a, b link) int { return cmp.Compare(b.decided, a.decided) })
	var latest *row
	for _, made := range links {
		if made.isCopy() || latest != nil && made.decided < latest.decided {
			break // and so is all that comes after it
		}
		taken, err := l.taken(ctx, made)
		switch {
		case err != nil:
			return consent.Record{}, err
		case taken == nil: // a consent is written before it is linked: it refuses something
			return consent.Record{}, fmt.Errorf("%w: the user's last decision is not written yet, or was lost", ErrNoRecord)
		case taken.action == string(consent.ByAccount): // nobody has taken it here
		case latest == nil || taken.after(latest):
			latest = taken
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

// References returns the references under which a user has decided while signed in, and
// those of copies, see [Users.Restored], in no order: none for somebody who was never linked. Others may have decided under them too, in a browser
// without [consent.Middleware.Unlink]. With [Ledger.History] and [Ledger.Forget] a site answers who
// asks by their account. The error is the database's.
func (u *Users) References(ctx context.Context, user string) ([]consent.Reference, error) {
	links, err := u.links(ctx, user)
	references := make([]consent.Reference, len(links))
	for i, made := range links {
		references[i] = consent.Reference(made.reference)
	}
	return references, err
}

func (u *Users) links(ctx context.Context, user string) (links []link, err error) {
	if user == "" {
		return nil, errNoUser
	}
	l := u.ledger
	if err := l.readable(); err != nil {
		return nil, err
	}
	rows, err := l.db.QueryContext(ctx, l.db.sql(`SELECT reference, decided, seal FROM consent_link WHERE user_hash = $1`), u.hash(user))
	err = each(rows, err, func(rows *sql.Rows) error {
		made := link{user: u.hash(user)}
		err := rows.Scan(&made.reference, &made.decided, &made.seal)
		if !l.sealer.can() || l.sealer.holds(made.seal, made.sealed()) { // nobody follows a link that was forged
			links = append(links, made)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot read who a user is: %w", err)
	}
	return withWaiting(links, l.queue.links.of(u.hash(user))), nil
}

// withWaiting returns the links of a user as they are once those that wait are written.
func withWaiting(links, waiting []link) []link {
	for _, made := range waiting {
		i := slices.IndexFunc(links, func(other link) bool { return other.reference == made.reference })
		switch {
		case i < 0:
			links = append(links, made)
		case links[i].decided < made.decided:
			links[i] = made
		}
	}
	return links
}

// taken returns the decision of a link, written or waiting in this process; nil if there
// is none.
func (l *Ledger) taken(ctx context.Context, made link) (taken *row, err error) {
	// What waits is looked for first, or might be missed as it goes over.
	taken = l.queue.waiting(made)
	rows, err := l.db.QueryContext(ctx, l.db.sql(whole+`WHERE reference = $1 AND decided = $2 ORDER BY n`), l.db.key(made.reference), made.decided)
	err = each(rows, err, func(rows *sql.Rows) error {
		var r row
		err := rows.Scan(r.into()...)
		if taken == nil || !taken.after(&r) { // there may be a remainder
			taken = &r
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot read the last decision: %w", err)
	}
	return taken, nil
}

// waiting returns the refusal of a link that waits to be written; nil for none.
func (q *queue) waiting(made link) *row {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(q.entries) - 1; i >= 0; i-- {
		// A consent counts once Record has returned to whoever waits for it.
		if e := q.entries[i]; e.done == nil && e.row.reference == made.reference && e.row.decided == made.decided {
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
