package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A spoolPlace is where the files of a ledger lie.
type spoolPlace struct {
	folder string
	prefix string // of their names
	shared bool   // by ledgers: the ID of the ledger comes next in the name
	ledger key    // the ID of a writer that the ledger has, or its address
	sealer sealer

	addresses []key // by which the ledger was known, or is, before its ID
}

// placeOf returns where the spool of a ledger is to be; nil if there is to be none. Its
// files bear the ID of the ledger. Before the database is there, they bear the ledger's
// address in its place, by which the next process knows them too.
func placeOf(config Config, db *database, s sealer) (*spoolPlace, error) {
	if config.NoSpool {
		return nil, nil
	}
	place := &spoolPlace{sealer: s}
	var err error
	switch {
	case config.Spool != "":
		place.folder, err = filepath.Abs(config.Spool)
	case db.file != "":
		place.folder, err = filepath.Abs(filepath.Dir(db.file))
		place.prefix = filepath.Base(db.file) + "-refusals-"
	case db.embedded:
		return nil, nil // in memory: the ledger is gone first
	default:
		place.folder, err = os.UserCacheDir()
		place.folder = filepath.Join(place.folder, "consent-ledger")
	}
	if err != nil {
		return nil, lasting{fmt.Errorf("Config.Spool is empty, and there is no folder to take in its place: %w", err)}
	}
	if place.prefix == "" {
		place.prefix, place.shared = "consent-refusals-", true
	}
	place.addresses = addresses(db, place.shared, s)
	place.ledger = place.addresses[0]
	return place, nil
}

// addresses returns by what a ledger is known before its ID is, the first for its own files.
func addresses(db *database, shared bool, s sealer) (list []key) {
	add := func(f fields) {
		var address key
		copy(address[:], f.sum())
		list = append(list, address)
	}
	kind := fields(nil).text("spool")
	switch {
	case !shared: // the name of the file says it
		add(kind.text("file"))
	case db.file != "":
		add(kind.text("path").text(db.file))
	case db.address != "":
		add(kind.text("server").text(db.address))
	case s.can(): // a pool of the site tells no address; each ledger has keys of its own
		for _, k := range s.keys {
			add(authenticate(k, kind))
		}
	default:
		program, _ := os.Executable()
		add(kind.text("program").text(program))
	}
	return list
}

// newName returns a name for a file of this process.
func (p *spoolPlace) newName() string {
	var run [runBytes]byte
	rand.Read(run[:]) // never fails
	name := p.prefix
	if p.shared {
		name += p.ledger.String() + "-"
	}
	return name + hex.EncodeToString(run[:])
}

// isOurs reports whether a name is that of a file of the ledger.
func (p *spoolPlace) isOurs(name string, knows func(key) (bool, error)) (bool, error) {
	run, found := strings.CutPrefix(name, p.prefix)
	if found && p.shared {
		cut := max(0, strings.LastIndexByte(run, '-'))
		var ledger key
		if ledger.UnmarshalText([]byte(run[:cut])) != nil {
			return false, nil
		}
		if known, err := p.knows(ledger, knows); err != nil || !known {
			return false, err
		}
		run = run[cut+1:]
	}
	return found && len(run) == hex.EncodedLen(runBytes), nil
}

// knows reports whether a file is the ledger's, by what its name or first line says.
func (p *spoolPlace) knows(ledger key, knows func(key) (bool, error)) (bool, error) {
	if slices.Contains(p.addresses, ledger) {
		return true, nil
	}
	return knows(ledger)
}

// identify returns the ID of the ledger's first writer, by which a spool knows the ledger
// again. If there is none yet, it is this one. One that was made up without the key is none: who
// made it up could take it away again, and with it what waits.
func (w *writer) identify(ctx context.Context, db *database) (first key, err error) {
	var any key
	err = eachWriter(ctx, db, func(r writerRow) error {
		if any == (key{}) {
			any = r.id
		}
		if first == (key{}) && w.holds(r.seal, r.sealed()) {
			first = r.id
		}
		return nil
	})
	if err == nil && any == (key{}) {
		err = w.prepare(ctx, db)
		any = w.id
	}
	return cmp.Or(first, any), err
}
