package ledger

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// An act is a record of what was done to the records. It stands in the writer's order
// like a decision, so that what was erased or deleted in any other way shows.
type act struct {
	Kind    actKind  `json:"act"`
	Vouches bool     `json:"vouches,omitempty"` // of an opening: it is the first with a key, and stands for what was written without one
	Claims  []claim  `json:"claims,omitempty"`  // of an opening: how far other writers had come
	Until   int64    `json:"until,omitempty"`   // of a purge: decisions before this time were deleted
	Places  []places `json:"places,omitempty"`  // of a forgetting or a purge: what it took

	at time.Time
}

type actKind string

const (
	actOpen   actKind = "open"   // the first of each writer
	actEnd    actKind = "end"    // the last
	actForget actKind = "forget" // some records were erased
	actPurge  actKind = "purge"  // some were deleted
)

// allActs are the kinds that there are. What says that it is of another is a fault.
var allActs = []actKind{actOpen, actEnd, actForget, actPurge}

// A claim says how far a writer had come: the hash of a record holds those of all before.
type claim struct {
	Writer key         `json:"writer"`
	Place  int64       `json:"place"`
	Hash   hexadecimal `json:"hash"`
}

// Places are some of a writer's records without a gap.
type places struct {
	Writer key         `json:"writer"`
	From   int64       `json:"from"`
	To     int64       `json:"to"`
	Before hexadecimal `json:"before"` // the hash of the record before From: what a purge takes away holds it no more
	Hash   hexadecimal `json:"hash"`   // of the record at To, which the next one holds
}

// placesOf returns where records stand.
func placesOf(taken []row) (list []places) {
	slices.SortFunc(taken, func(a, b row) int { return a.compare(&b) })
	for i := range taken {
		r := &taken[i]
		if last := len(list) - 1; last >= 0 && list[last].Writer == r.writer && list[last].To+1 == r.place {
			list[last].To, list[last].Hash = r.place, r.hash
		} else {
			list = append(list, places{Writer: r.writer, From: r.place, To: r.place, Before: r.beforeHash, Hash: r.hash})
		}
	}
	return list
}

// count returns how many records these are.
func count(list []places) (records int64) {
	for _, p := range list {
		records += p.To - p.From + 1
	}
	return records
}

// row makes the row of an act, as yet without a place.
func (a *act) row() row {
	at := milliseconds(a.at)
	return row{id: newKey(at), decided: at, act: compact(a)}
}

// readAct reads the act of a row.
func (r *row) readAct() (act, error) {
	a := act{at: time.UnixMilli(r.decided)}
	if err := json.Unmarshal([]byte(r.act), &a); err != nil {
		return a, fmt.Errorf("the record %v of an act cannot be read: %w", r.id, err)
	}
	return a, nil
}

// hexadecimal is bytes that JSON holds as hexadecimal digits.
type hexadecimal []byte

func (h hexadecimal) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexadecimal) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}
