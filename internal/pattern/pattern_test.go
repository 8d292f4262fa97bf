package pattern_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/cases"
	"github.com/cookiecharter/consent/internal/pattern"
)

// A test of dev/browser has browsers go through the same cases.
func TestMatchPrefersTheMostSpecificEntry(t *testing.T) {
	for _, test := range cases.ReadNames(t, "testdata/names.json") {
		t.Run(strings.Join(test.Declared, " ")+" for "+test.Name, func(t *testing.T) {
			var set pattern.Set[string]
			for _, d := range test.Declared {
				set.Put(d, d)
			}
			got, ok := set.Match(test.Name)
			assert.Equal(t, test.Match, got)
			assert.Equal(t, test.Match != "", ok)
		})
	}
}

func TestAPatternCoversWhatMatchesItAndNarrowerPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, other string
		want           bool
	}{
		{"_ga", "_ga", true},
		{"_ga", "_ga*", false},
		{"_ga*", "_ga", true},
		{"_ga*", "_ga*", true},
		{"_ga*", "_ga_*", true},
		{"_ga_*", "_ga*", false},
		{"_ga_*", "_ga*_id", false},
		{"*_id", "_ga*_id", true},
		{"_ga*_id", "*_id", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*a", "a*a", true},
		{"ab*", "b", false},
		{"*", "", true},
	} {
		assert.Equal(t, test.want, pattern.Covers(test.pattern, test.other), "%q, %q", test.pattern, test.other)
	}
}

// The tree, and a walk over all entries in the order of Compare, must agree for any
// entries and any name.
func FuzzMatch(f *testing.F) {
	f.Add("_ga _ga* _ga_* *_id a*z", "_ga_id")
	f.Add("* a* *a a*a", "aa")
	f.Add("ab*bc abc", "abc")
	f.Fuzz(func(t *testing.T, list, name string) {
		if strings.Contains(name, "*") {
			return // Covers takes it for a pattern
		}
		entries := slices.DeleteFunc(strings.Fields(list), func(entry string) bool { return strings.Count(entry, "*") > 1 })
		var set pattern.Set[string]
		for _, entry := range entries {
			set.Put(entry, entry)
		}
		slices.SortStableFunc(entries, pattern.Compare)
		want := ""
		i := slices.IndexFunc(entries, func(entry string) bool { return pattern.Covers(entry, name) })
		if i >= 0 {
			want = entries[i]
		}
		if got, ok := set.Match(name); got != want || ok != (i >= 0) {
			t.Errorf("Match(%q) among %q = %q, %t; want %q", name, list, got, ok, want)
		}
	})
}
