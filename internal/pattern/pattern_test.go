package pattern_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/pattern"
)

func TestMatchPrefersTheMostSpecificEntry(t *testing.T) {
	tests := []struct {
		entries []string
		name    string
		want    string // "" where nothing matches
	}{
		{[]string{"_ga", "_ga*"}, "_ga", "_ga"},
		{[]string{"_ga", "_ga*"}, "_gat", "_ga*"},
		{[]string{"_ga*", "_ga_*"}, "_ga_X", "_ga_*"},
		{[]string{"_ga_*", "_ga*"}, "_ga_", "_ga_*"},
		{[]string{"*", "a*"}, "b", "*"},
		{[]string{"*"}, "", "*"},
		{[]string{"*_id"}, "_id", "*_id"},
		{[]string{"*_id"}, "id", ""},
		{[]string{"ab*bc"}, "abc", ""},
		{[]string{"ab*bc"}, "abbc", "ab*bc"},
		{[]string{"a*", "*xyz"}, "a.xyz", "*xyz"},
		{[]string{"*z", "a*"}, "az", "a*"},
		{[]string{"a*z", "ab*"}, "abz", "ab*"},
		{[]string{"a*yz", "ab*"}, "abyz", "a*yz"},
		{[]string{"sess_*_a", "sess_*"}, "sess_1_b", "sess_*"},
		{[]string{"a*x", "a*y"}, "a.x", "a*x"},
		{[]string{"a*x", "a*y"}, "a.y", "a*y"},
		{[]string{"Case"}, "case", ""},
		{[]string{"Case*"}, "case1", ""},
		{nil, "anything", ""},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.entries, " ")+" for "+test.name, func(t *testing.T) {
			var set pattern.Set[string]
			for _, e := range test.entries {
				set.Put(e, e)
			}
			got, ok := set.Match(test.name)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.want != "", ok)
		})
	}
}

// The tree and a plain walk over all entries must agree for any entries and
// any name.
func FuzzMatch(f *testing.F) {
	f.Add("_ga _ga* _ga_* *_id a*z", "_ga_id")
	f.Add("* a* *a a*a", "aa")
	f.Add("ab*bc abc", "abc")
	f.Fuzz(func(t *testing.T, list, name string) {
		var set pattern.Set[string]
		want, most, prefix := "", -1, -1
		for _, entry := range strings.Fields(list) {
			if strings.Count(entry, "*") > 1 {
				continue
			}
			set.Put(entry, entry)
			before, after, wild := strings.Cut(entry, "*")
			switch {
			case !wild && entry == name:
				want, most = entry, len(name)+1
			case wild && len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after):
				if n := len(before) + len(after); n > most || n == most && len(before) > prefix {
					want, most, prefix = entry, n, len(before)
				}
			}
		}
		got, ok := set.Match(name)
		if got != want || ok != (most >= 0) {
			t.Errorf("Match(%q) among %q = %q, %t; want %q", name, list, got, ok, want)
		}
	})
}
