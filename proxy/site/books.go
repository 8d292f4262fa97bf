package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/ledger"
)

// A Ledger says where proof of each decision is kept: see package ledger.
type Ledger struct {
	// URL is a file, or the address of a PostgreSQL server: see [ledger.Open]. Empty means
	// that nothing is kept.
	URL string

	// Config holds the keys that seal the records, and the folder for refusals that wait.
	ledger.Config

	// Issuer is who answers for the records. With one, visitors can read what is recorded of
	// their decisions, and take a receipt with them: see [charter.Config.History]. Nil means
	// that they cannot.
	Issuer *ledger.Issuer
}

// ReadIssuer reads the file that says who answers for the records: see [ledger.ReadIssuer].
// The error joins every mistake, each of which names the file.
func ReadIssuer(file string) (*ledger.Issuer, error) {
	content, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	issuer, err := ledger.ReadIssuer(content)
	if err != nil {
		var mistakes []error
		for _, err := range joined.Split(err) {
			mistakes = append(mistakes, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "ledger: ")))
		}
		return nil, errors.Join(mistakes...)
	}
	return &issuer, nil
}

// books are a ledger that the sites which follow each other share.
type books struct {
	*ledger.Ledger
	settings Ledger       // but for the Issuer
	sites    atomic.Int32 // that have not been closed
}

// sharedBooks returns the books of s if the settings are theirs, else new ones.
func (s *Site) sharedBooks(ctx context.Context, settings Ledger) (*books, error) {
	settings.Issuer = nil // what is written does not depend on it
	if s != nil && s.books != nil && reflect.DeepEqual(s.books.settings, settings) {
		s.books.sites.Add(1) // s is one of them, so that they are open
		return s.books, nil
	}
	opened, err := ledger.Open(ctx, settings.URL, settings.Config)
	if err != nil {
		return nil, err
	}
	b := &books{Ledger: opened, settings: settings}
	b.sites.Store(1)
	return b, nil
}

// recorder returns what keeps decisions, and has them counted before; nil if nothing does.
func (b *books) recorder(metrics *Metrics) consent.Recorder {
	switch {
	case b == nil:
		return nil
	case metrics == nil:
		return b.Ledger
	default:
		return counting{b.Ledger, metrics}
	}
}

// A counting ledger has each decision counted before it is kept.
type counting struct {
	*ledger.Ledger
	metrics *Metrics
}

func (c counting) Record(ctx context.Context, record consent.Record) error {
	c.metrics.decided(record)
	return c.Ledger.Record(ctx, record)
}

func (c counting) RecordLater(record consent.Record) {
	c.metrics.decided(record)
	c.Ledger.RecordLater(record)
}

// history returns what visitors may read of the records; nil for nothing.
func (b *books) history(issuer *ledger.Issuer) (charter.History, error) {
	if b == nil || issuer == nil {
		return nil, nil
	}
	return b.Receipts(*issuer)
}

// Ledger returns the ledger, nil if there is none.
func (s *Site) Ledger() *ledger.Ledger {
	if s.books == nil {
		return nil
	}
	return s.books.Ledger
}

// Ready returns nil if a consent could be recorded now, or if nothing is recorded.
func (s *Site) Ready(ctx context.Context) error {
	if s.books == nil {
		return nil
	}
	return s.books.Ledger.Ready(ctx)
}

// Close writes what waits to be recorded, for as long as ctx allows, and ends the ledger
// unless another site shares it. Call it once, when the site has answered its last request.
func (s *Site) Close(ctx context.Context) error {
	if s.books == nil || s.books.sites.Add(-1) > 0 {
		return nil
	}
	return s.books.Ledger.Close(ctx)
}
