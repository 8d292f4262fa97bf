// Package cases reads the files of cases that tests in Go share with tests in browsers: what
// the server decides and what a page or a browser does have to agree on each. It is for
// tests alone. Each file lies in testdata of the package that is its subject.
package cases

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// A Name is one case of names.json of package pattern.
type Name struct {
	Declared []string
	Name     string
	Match    string // which of the declared names it belongs to; "" for none
}

// ReadNames reads names.json.
func ReadNames(t testing.TB, path string) []Name {
	t.Helper()
	names := read[[]Name](t, path)
	if len(names) < 30 {
		t.Fatalf("%s has only %d cases", path, len(names))
	}
	return names
}

// read reads a file of JSON in which every key is known.
func read[T any](t testing.TB, path string) (all T) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from := json.NewDecoder(bytes.NewReader(content))
	from.DisallowUnknownFields()
	if err := from.Decode(&all); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return all
}
