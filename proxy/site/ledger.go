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

// A sharedLedger is one that sites which follow each other share.
type sharedLedger struct {
	*ledger.Ledger
	settings Ledger       // but for the Issuer
	sites    atomic.Int32 // that have not been closed
}

// openOrShare returns the ledger of s if it has these settings, else a new one.
func (s *Site) openOrShare(ctx context.Context, settings Ledger) (*sharedLedger, error) {
	settings.Issuer = nil // what is written does not depend on it
	if s != nil && s.ledger != nil && reflect.DeepEqual(s.ledger.settings, settings) {
		s.ledger.sites.Add(1) // s is one of them, so that it is open
		return s.ledger, nil
	}
	opened, err := ledger.Open(ctx, settings.URL, settings.Config)
	if err != nil {
		return nil, err
	}
	l := &sharedLedger{Ledger: opened, settings: settings}
	l.sites.Store(1)
	return l, nil
}

// recorder returns what keeps decisions, and has them counted before; nil if nothing does.
func (l *sharedLedger) recorder(metrics *Metrics) consent.Recorder {
	switch {
	case l == nil:
		return nil
	case metrics == nil:
		return l.Ledger
	default:
		return counting{l.Ledger, metrics}
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
func (l *sharedLedger) history(issuer *ledger.Issuer) (charter.History, error) {
	if l == nil || issuer == nil {
		return nil, nil
	}
	return l.Receipts(*issuer)
}

// Ledger returns the ledger, nil if there is none.
func (s *Site) Ledger() *ledger.Ledger {
	if s.ledger == nil {
		return nil
	}
	return s.ledger.Ledger
}

// Ready returns nil if a consent could be recorded now, or if nothing is recorded.
func (s *Site) Ready(ctx context.Context) error {
	if s.ledger == nil {
		return nil
	}
	return s.ledger.Ledger.Ready(ctx)
}

// Close writes what waits to be recorded, for as long as ctx allows, and ends the ledger
// unless another site shares it. Call it once, when the site has answered its last request.
func (s *Site) Close(ctx context.Context) error {
	if s.ledger == nil || s.ledger.sites.Add(-1) > 0 {
		return nil
	}
	return s.ledger.Ledger.Close(ctx)
}
