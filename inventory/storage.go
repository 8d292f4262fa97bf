package inventory

import (
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// storages are what a browser tells of, each under the name of its kind.
var storages = []consent.Kind{consent.LocalStorage, consent.SessionStorage, consent.IndexedDB, consent.CacheStorage}

const (
	// maxStored is how many names and patterns are remembered of each storage.
	maxStored = 256

	// maxReport is the length of the longest report: browsers send no longer one after
	// a page has gone (Fetch Standard, "HTTP-network-or-cache fetch": keepalive).
	maxReport = 64 << 10
)

//go:embed storage.js
var storageScript string

// A stored is the kind of a finding. JSON shows it by its name.
type stored consent.Kind

// MarshalText returns the name of the kind.
func (s stored) MarshalText() ([]byte, error) { return []byte(consent.Kind(s).String()), nil }

// take notes what a browser tells of its storages. Only pages of the same origin can
// send it here, so that no other site puts names into the list.
func (inv *Inventory) take(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	var told struct {
		Page  string
		Names map[string][]string
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReport)).Decode(&told); err != nil {
		status := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, err.Error(), status)
		return
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	take := func(t *table, kind consent.Kind) {
		for _, name := range told.Names[kind.String()] {
			if name == "" || t.declared.by(name) != "" {
				continue
			}
			if s := t.find(name); s != nil {
				s.sent++
				s.sentTo.add(told.Page)
				s.at(time.Now())
			}
		}
	}
	for i, kind := range storages {
		take(&inv.storages[i], kind)
	}
	take(&inv.requests, consent.HTTPCookie) // the guard of package charter tells of these
	w.WriteHeader(http.StatusNoContent)
}

// findings returns what was found in some tables of one kind.
func findings(kind consent.Kind, d *declared, tables ...*table) (found []finding) {
	for _, s := range merge(d, tables...) {
		known := s.knowledge()
		if kind != consent.HTTPCookie && known != nil && known.Library != "" {
			known = nil // a library of Go gives its name to a cookie
		}
		found = append(found, finding{
			Name: s.name, Kind: stored(kind), Examples: s.examples, seen: s.report(),
			Requests: s.sent, SentTo: s.sentTo.sorted(), Known: known,
		})
	}
	return found
}

// isStored reports whether it is no cookie, but lies in a storage of browsers.
func (f *finding) isStored() bool { return consent.Kind(f.Kind) != consent.HTTPCookie }

// storedCells writes for a storage what [seen.cells] writes for cookies.
func (f *finding) storedCells(b *strings.Builder) {
	b.WriteString("<td data-column=\"Seen\"><div>told " + times(f.Requests) + "<small>" + moment(f.First) + "</small></div></td><td data-column=\"Where\"><ul>")
	for _, path := range f.SentTo.Paths {
		b.WriteString("<li>seen on <code>" + text(path) + "</code></li>")
	}
	if f.SentTo.More {
		b.WriteString("<li>and elsewhere</li>")
	}
	how := "stored by a script"
	if f.Origins != nil {
		how = "contacted"
	}
	b.WriteString("</ul></td><td data-column=\"Attributes\"><div>" + how + "</div></td>")
}

var kindNames = map[consent.Kind]string{
	consent.LocalStorage:   "consent.LocalStorage",
	consent.SessionStorage: "consent.SessionStorage",
	consent.IndexedDB:      "consent.IndexedDB",
	consent.CacheStorage:   "consent.CacheStorage",
	consent.Other:          "consent.Other",
}
