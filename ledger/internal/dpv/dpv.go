// Package dpv knows the names of the Data Privacy Vocabulary, version 2.3: those of the
// base vocabulary (https://w3id.org/dpv), of personal data (https://w3id.org/dpv/pd) and of
// places (https://w3id.org/dpv/loc).
package dpv

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

// terms has a kind and a name on each line.
//
//go:embed terms.txt
var terms string

// A Kind is what a name stands for.
type Kind string

const (
	Purpose      Kind = "purpose" // of processing
	PersonalData Kind = "data"    // a sort of it
	Place        Kind = "place"   // a country (ISO 3166-1), "loc:EU" or "loc:EEA"
	Term         Kind = "term"    // any other of the base vocabulary
)

var kinds = sync.OnceValue(func() map[string]Kind {
	all := make(map[string]Kind)
	for line := range strings.Lines(terms) {
		kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = Kind(kind)
	}
	return all
})

// region matches the name of a part of a country (ISO 3166-2), of which there are five
// thousand.
var region = regexp.MustCompile(`^(loc:[A-Z]{2})-[A-Z0-9]{1,3}$`)

// KindOf returns what a name stands for, "" if the vocabulary does not have it. Of a part
// of a country it knows the country alone.
func KindOf(name string) Kind {
	if part := region.FindStringSubmatch(name); part != nil {
		return kinds()[part[1]]
	}
	return kinds()[name]
}
