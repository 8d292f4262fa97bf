package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Anchor is what a ledger held at one moment, in a few lines: how many records there
// were, and the last one of each writer, whose hash holds those of all before it. A site
// keeps it where who may write to the database may not: printed, mailed, time-stamped.
// [Ledger.Verify] then finds what was there and is not now. It comes with each
// [Report].
type Anchor struct {
	Time      time.Time // when it was made, in UTC and whole seconds
	Records   int64     // decisions that stood
	Forgotten int64     // decisions that were erased until then
	Purged    int64     // those that were purged
	Heads     []Head    // by writer; not those of whom a later writer's first record says it
}

// A Head is the last record of a writer.
type Head struct {
	Writer  string // a UUID
	Records int64  // how many the writer had written
	Hash    string // of the last of them, in hexadecimal
}

const anchorName = "consent-ledger-anchor/1"

// String returns the anchor as [ParseAnchor] reads it: words between spaces. These are the
// name and version of the format, "consent-ledger-anchor/1"; the time (RFC 3339); "records=",
// "forgotten=" and "purged=" with their numbers; for each head the writer, the number and the
// hash with a colon between them; and "sum=" with the first 16 hexadecimal digits of the
// SHA-256 sum of all before, without the space, against slips in copying.
func (a Anchor) String() string {
	words := []string{
		anchorName, a.Time.UTC().Format(time.RFC3339),
		fmt.Sprint("records=", a.Records), fmt.Sprint("forgotten=", a.Forgotten), fmt.Sprint("purged=", a.Purged),
	}
	for _, h := range a.Heads {
		words = append(words, fmt.Sprintf("%s:%d:%s", h.Writer, h.Records, h.Hash))
	}
	text := strings.Join(words, " ")
	return text + " sum=" + checksum(text)
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// ParseAnchor reads what [Anchor.String] returns, also if its lines were broken anew. The
// error says what is wrong with it: an anchor that was copied badly is none.
func ParseAnchor(text string) (Anchor, error) {
	words := strings.Fields(text)
	if len(words) == 0 || words[0] != anchorName {
		return Anchor{}, fmt.Errorf("ledger: an anchor begins with %q", anchorName)
	}
	last := len(words) - 1
	if sum := "sum=" + checksum(strings.Join(words[:last], " ")); last < 5 || words[last] != sum {
		return Anchor{}, errors.New("ledger: the anchor was copied badly: its sum is not that of its words")
	}
	var a Anchor
	var err error
	if a.Time, err = time.Parse(time.RFC3339, words[1]); err != nil {
		return Anchor{}, fmt.Errorf("ledger: the time of the anchor cannot be read: %w", err)
	}
	for i, name := range []string{"records=", "forgotten=", "purged="} {
		digits, named := strings.CutPrefix(words[2+i], name)
		n, err := strconv.ParseInt(digits, 10, 64)
		if !named || err != nil {
			return Anchor{}, fmt.Errorf("ledger: word %d of the anchor is not %q and a number", 3+i, name)
		}
		*[]*int64{&a.Records, &a.Forgotten, &a.Purged}[i] = n
	}
	for _, word := range words[5:last] {
		var h Head
		parts := strings.Split(word, ":")
		if len(parts) == 3 {
			h.Writer, h.Hash = parts[0], parts[2]
			h.Records, err = strconv.ParseInt(parts[1], 10, 64)
		}
		if _, wrong := h.claim(); len(parts) != 3 || err != nil || wrong != nil {
			return Anchor{}, fmt.Errorf("ledger: %.100q in the anchor is not a writer, a number and a hash", word)
		}
		a.Heads = append(a.Heads, h)
	}
	return a, nil
}

// claim returns what an anchor says of a writer.
func (h Head) claim() (c claim, err error) {
	c.Place = h.Records
	err = errors.Join(c.Writer.UnmarshalText([]byte(h.Writer)), c.Hash.UnmarshalText([]byte(h.Hash)))
	if err == nil && (len(c.Hash) != sha256.Size || c.Place < 1) {
		err = errors.New("a hash has 32 bytes, and a number is positive")
	}
	return c, err
}

// hold compares what was read with an anchor.
func (v *verification) hold(anchors []Anchor) error {
	for _, a := range anchors {
		for _, h := range a.Heads {
			c, err := h.claim()
			if err != nil {
				return fmt.Errorf("the anchor of %v: %w", a.Time, err)
			}
			v.claim(c)
		}
		if a.Forgotten > v.forgotten || a.Purged > v.report.Purged {
			v.report.fault("%d records were forgotten and %d purged when the anchor of %v was made, and fewer now", a.Forgotten, a.Purged, a.Time)
		}
		v.report.ForgottenSince, v.report.PurgedSince = v.forgotten-a.Forgotten, v.report.Purged-a.Purged
	}
	return nil
}
