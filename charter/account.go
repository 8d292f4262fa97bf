package charter

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/account"
)

// Accounts know what users have decided while signed in: see [Config.Accounts]. The Users of
// the module's ledger are one. They must be safe for concurrent use, and heed ctx, which ends
// after two seconds.
//
// If they have a method Restored with the parameters of Link, it is told under which reference
// and time the decision of an account was recorded in a browser in which nobody has taken it, so
// that this copy can be erased with what else is recorded of the user.
type Accounts interface {
	// Latest returns the last decision that a user has taken on any device while signed in.
	// The error is [consent.ErrNoRecord] if there is none.
	Latest(ctx context.Context, user string) (consent.Record, error)

	// Link notes that a user has taken the decision of that reference and time. It may be
	// called more than once for one decision.
	Link(ctx context.Context, reference consent.Reference, decided time.Time, user string) error
}

// copies are Accounts that know of the copies of a decision: see [Accounts].
type copies interface {
	Restored(ctx context.Context, reference consent.Reference, decided time.Time, user string) error
}

const (
	lookAgain = 5 * time.Minute  // after which a page asks whether the user has decided elsewhere
	lookSoon  = 30 * time.Second // the same while no decision of theirs is known here, and after a failure
	patience  = 2 * time.Second  // for which a page waits for the accounts
)

// A keeper is what package consent lets a request change of what its browser remembers.
type keeper interface {
	Meet() bool
	MayMissCookies() bool
	Account() account.State
	Tags(user string) []account.Tag
	Marks(user, told string) []account.Mark
	KeepAccount(account.State) error
	SendAccount(account.State) error
	SetAside(account.Tag) error
	BringBack() error
	Before() time.Time
	Apply(ctx context.Context, record consent.Record, alone bool) (differ bool, err error)
}

// keeperOf returns that of a request; nil if the site has no accounts, or outside of Wrap.
func (c *Charter) keeperOf(r *http.Request) keeper {
	if c.account == nil {
		return nil
	}
	k, _ := r.Context().Value(account.Key{Owner: c.mw}).(keeper)
	return k
}

// checkAccounts returns the mistakes in what the config says of accounts.
func (c *Charter) checkAccounts() (mistakes []error) {
	wrong := func(field, reason string) {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.%s: %s", field, reason))
	}
	if v := reflect.ValueOf(c.accounts); v.Kind() == reflect.Pointer && v.IsNil() {
		wrong("Accounts", fmt.Sprintf("holds a nil %T; leave the field out if the site has no accounts", c.accounts))
	}
	switch {
	case c.account == nil && c.accounts == nil:
		return mistakes
	case c.accounts == nil:
		wrong("Accounts", "is nil, and Account is not: nobody keeps what users decide")
	case c.account == nil:
		wrong("Account", "is nil, and Accounts is not: nobody says who is signed in")
	}
	if !c.mw.Records() {
		wrong("Accounts", "takes a Recorder in consent.Config, by whose records it finds decisions")
	}
	if !c.hasRoom() {
		wrong("Accounts", "has more providers that need consent than a cookie has room for twice; declare fewer, or several under one name")
	}
	name := account.Name(c.mw.Cookie().Name)
	if slices.ContainsFunc(c.mw.Registry().Lookup(name), func(cookie consent.Cookie) bool { return cookie.Category != consent.Necessary }) {
		wrong("Accounts", fmt.Sprintf("%q is declared, and not as Necessary; it remembers that the account's choice applies", name))
	}
	return mistakes
}

// hasRoom reports whether what a browser remembers of an account fits into a cookie at its
// longest: a decision, and the marks of all its answers.
func (c *Charter) hasRoom() bool {
	parties, categories := make(map[string]bool), make(map[consent.Category]bool)
	for _, cookie := range c.mw.Registry().Cookies() {
		if cookie.NeedsConsent() {
			parties[allowValue(cookie.Category, cookie.Provider)], categories[cookie.Category] = true, true
		}
	}
	const head, mark = 64, 4 // of a decision: see package internal/decision
	longest := account.State{SignedIn: true, Before: make([]byte, head+mark*(len(parties)+len(categories))), Foreign: make([]uint32, 1+len(parties))}
	for i := range byte(255) {
		longest.NoteTold(account.Mark{i})
	}
	_, err := account.New(c.mw.Cookie(), [][]byte{make([]byte, 32)}).Line(&longest)
	return err == nil
}

// withAccount returns a handler that serves as next does, once the decision of the browser is
// that of whoever is signed in.
func (c *Charter) withAccount(next http.Handler) http.Handler {
	if c.account == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := c.keeperOf(r)
		if k == nil || !k.Meet() {
			next.ServeHTTP(w, r)
			return
		}
		user := c.account(r)
		if err := c.meet(r, k, user); err != nil {
			c.failed(r, err)
		}
		defer c.linkSaved(r, k, user) // also if next panics: the decision may have left
		next.ServeHTTP(w, r)
	})
}

// isOf reports whether what a browser remembers is of the account of this user.
func isOf(k keeper, s account.State, user string) bool {
	return user != "" && slices.Contains(k.Tags(user), s.Who)
}

// meet notices that somebody has signed in or out, and asks the account from time to time.
func (c *Charter) meet(r *http.Request, k keeper, user string) error {
	if s := k.Account(); user == "" && !s.SignedIn || k.MayMissCookies() {
		return nil
	}
	if s := k.Account(); s.SignedIn && !isOf(k, s, user) {
		if err := k.BringBack(); err != nil {
			return err
		}
	}
	// What a page loads changes nothing: a page does, and whatever a program asks for.
	if user == "" || isPart(r) && !c.serves(r.URL.Path) {
		return nil
	}
	s := k.Account()
	if !s.SignedIn {
		if err := k.SetAside(k.Tags(user)[0]); err != nil {
			return err
		}
		s = k.Account()
	}
	every := lookAgain
	if s.Decided.IsZero() || s.Unlinked {
		every = lookSoon
	}
	if since := time.Since(s.Looked); 0 <= since && since < every {
		return nil
	}
	return c.look(r, k, user)
}

// isPart reports whether a browser asks for a part of a page, such as an image (Fetch
// Metadata Request Headers, section 2.1).
func isPart(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame", "empty":
		return false
	default:
		return true
	}
}

// look asks the account what its user has decided elsewhere. If it does not answer, what
// this browser has stands, until a later page asks again.
func (c *Charter) look(r *http.Request, k keeper, user string) error {
	s := k.Account()
	s.Looked = time.Now().Truncate(time.Millisecond) // as decisions are
	if err := k.KeepAccount(s); err != nil {
		return err
	}
	if s.Unlinked && !c.link(r, k, user) {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	record, err := c.accounts.Latest(ctx, user)
	switch {
	case errors.Is(err, consent.ErrNoRecord):
		return nil
	case err != nil:
		return fmt.Errorf("charter: cannot ask for the decision of an account: %w", err)
	}
	knew := k.Account().Decided
	settled := s.HasTold(k.Marks(user, settles(k)))
	had := consent.FromContext(r.Context()).DecidedAt()
	differ, err := k.Apply(ctx, record, settled)
	if !consent.FromContext(r.Context()).DecidedAt().Equal(had) { // after an error too: what is refused is
		c.restored(r, user)
	}
	s = k.Account()
	if err != nil || s.Decided.Equal(knew) {
		return err
	}
	here := k.Marks(user, "here")
	conflict := k.Marks(user, "conflict "+settles(k))
	differ = differ && !settled && !s.HasTold(conflict)
	if s.HasTold(here) && !differ {
		return nil
	}
	s.Tell, s.Conflict = true, differ
	s.NoteTold(here[0])
	if differ {
		s.NoteTold(conflict[0])
	}
	return k.KeepAccount(s)
}

// restored has the accounts know under which reference this browser has a copy of the
// account's decision.
func (c *Charter) restored(r *http.Request, user string) {
	accounts, can := c.accounts.(copies)
	if !can {
		return
	}
	prefs := consent.FromContext(r.Context())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	if err := accounts.Restored(ctx, prefs.Reference(), prefs.DecidedAt(), user); err != nil {
		c.failed(r, fmt.Errorf("charter: cannot tell an account of a copy of its decision: %w", err))
	}
}

// settles names what a choice of this user settles in this browser: whether they go by what
// had been decided in it before.
func settles(k keeper) string {
	before := k.Before()
	if before.IsZero() {
		return "nothing"
	}
	return "settled " + strconv.FormatInt(before.UnixMilli(), 10)
}

// link has the account know of a decision that was taken here, and reports whether it does.
func (c *Charter) link(r *http.Request, k keeper, user string) (linked bool) {
	prefs, s := consent.FromContext(r.Context()), k.Account()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	err := c.accounts.Link(ctx, prefs.Reference(), prefs.DecidedAt(), user)
	if err != nil {
		c.failed(r, fmt.Errorf("charter: cannot tell an account of a decision: %w", err))
	}
	s.Unlinked = err != nil
	s.NoteTold(k.Marks(user, settles(k))[0])
	s.NoteTold(k.Marks(user, "here")[0]) // the question has said so
	// If the head has left, the next page links it again, which changes nothing.
	_ = k.KeepAccount(s)
	return err == nil
}

// formOf returns what a form posts to say that its choice is for the account that is signed
// in; "" if nobody is.
func (c *Charter) formOf(r *http.Request) string {
	if k := c.keeperOf(r); k != nil {
		if s := k.Account(); s.SignedIn {
			return hex.EncodeToString(s.Who[:8])
		}
	}
	return ""
}

// linkSaved has the account know of a decision that was saved, if it does not yet.
func (c *Charter) linkSaved(r *http.Request, k keeper, user string) {
	if s := k.Account(); s.SignedIn && s.Unlinked && isOf(k, s, user) {
		c.link(r, k, user)
	}
}

// isBrought reports whether the decision that holds was there when the account was asked
// last, and so was not taken since.
func (c *Charter) isBrought(r *http.Request) bool {
	k := c.keeperOf(r)
	if k == nil {
		return false
	}
	s := k.Account()
	return s.SignedIn && s.Holds.Before(s.Looked)
}

// forWhom has an answer count for who is signed in, if what was posted says so. If not, it is
// one of this browser alone: the form was drawn before the sign-in, or by a template that
// does not say it.
func (c *Charter) forWhom(r *http.Request, posted string) error {
	if of := c.formOf(r); of != "" && posted != of {
		return c.keeperOf(r).BringBack()
	}
	return nil
}

// tells reports whether a page is to tell who has just signed in what holds here.
func (c *Charter) tells(r *http.Request) bool {
	k := c.keeperOf(r)
	return k != nil && k.Account().SignedIn && k.Account().Tell
}

// accountNote returns the note that tells so; "" for none.
func (c *Charter) accountNote(r *http.Request, l *localized) string {
	switch {
	case !c.tells(r):
		return ""
	case c.keeperOf(r).Account().Conflict:
		return l.words.AccountHere + " " + l.words.AccountConflict
	default:
		return l.words.AccountHere
	}
}

// accountNoteShown has the browser forget the note, which the response shows. A page that is
// fetched in advance may never be seen.
func (c *Charter) accountNoteShown(r *http.Request) {
	if r.Method != http.MethodGet || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
		return
	}
	k := c.keeperOf(r)
	s := k.Account()
	s.Tell, s.Conflict = false, false
	_ = k.SendAccount(s) // after the head it is too late, and the next page shows it again
}
