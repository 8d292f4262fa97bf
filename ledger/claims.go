package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// claims returns how far other writers have come, but for those of whom an earlier
// opening says it. The first writer with a key vouches for all before: what is written
// without a key from then on is nobody's.
func (w *writer) claims(ctx context.Context, db *database) (claims []claim, vouches bool, err error) {
	vouches, err = w.isFirstToSeal(ctx, db)
	if err != nil {
		return nil, false, err
	}
	claimed := make(map[key]int64)
	if !vouches {
		err = eachAct(ctx, db, []actKind{actOpen}, func(r *row) error {
			a, err := r.readAct()
			if err != nil || w.can() && !w.holds(r.seal, r.sealed()) {
				return nil // Verify tells
			}
			for _, c := range a.Claims {
				claimed[c.Writer] = max(claimed[c.Writer], c.Place)
			}
			return nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	rows, err := db.QueryContext(ctx, `SELECT id, (SELECT max(place) FROM consent_record WHERE writer = consent_writer.id) FROM consent_writer ORDER BY id`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var c claim
		err := rows.Scan(&c.Writer, orNothing[int64]{&c.Place})
		if c.Place > claimed[c.Writer] {
			claims = append(claims, c)
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	kept := claims[:0]
	for _, c := range claims {
		var r row
		err := db.QueryRowContext(ctx, db.sql(whole+`WHERE writer = $1 AND place = $2`), db.key(c.Writer), c.Place).Scan(r.into()...)
		switch {
		case errors.Is(err, sql.ErrNoRows): // purged at this moment
		case err != nil:
			return nil, false, err
		case vouches || !w.can() || w.holds(r.seal, r.sealed()):
			c.Hash = r.hash
			kept = append(kept, c)
		}
	}
	return kept, vouches, nil
}

// isFirstToSeal reports that this writer has a key, and none before had one.
func (w *writer) isFirstToSeal(ctx context.Context, db *database) (bool, error) {
	if !w.can() {
		return false, nil
	}
	sealed, err := db.isSealed(ctx)
	return !sealed, err
}

// isSealed reports that some writer had a key: it has sealed its row, or vouched for others.
// Who has removed every seal, and not the opening that vouches, is not to have the next process
// vouch for what is there now.
func (d *database) isSealed(ctx context.Context) (sealed bool, err error) {
	var writers int64
	err = d.QueryRowContext(ctx, `SELECT count(*) FROM consent_writer WHERE seal IS NOT NULL`).Scan(&writers)
	if err != nil || writers > 0 {
		return writers > 0, err
	}
	err = eachAct(ctx, d, []actKind{actOpen}, func(r *row) error {
		a, err := r.readAct()
		sealed = sealed || err == nil && a.Vouches
		return nil
	})
	return sealed, err
}

// checkSealed fails if what this process writes would count for nothing: it has no key where
// others had one, or none of those that others had.
func checkSealed(ctx context.Context, db *database, s sealer) error {
	if !s.can() {
		sealed, err := db.isSealed(ctx)
		if err == nil && sealed {
			err = lasting{errors.New("its records are sealed by a key, and Config.Keys has none: what is written now would count for nothing")}
		}
		return err
	}
	sealed, known := false, false
	err := eachWriter(ctx, db, func(r writerRow) error {
		sealed = sealed || len(r.seal) > 0
		known = known || s.holds(r.seal, r.sealed())
		return nil
	})
	if err != nil || !sealed || known {
		return err
	}
	// Somebody may have changed the rows of writers. That is for Verify to tell.
	err = eachAct(ctx, db, []actKind{actOpen}, func(r *row) error {
		known = known || s.holds(r.seal, r.sealed())
		return nil
	})
	if err == nil && !known {
		err = lasting{errors.New("its records are sealed by a key that is none of Config.Keys: put a new key in front of the old ones, and keep these")}
	}
	return err
}
