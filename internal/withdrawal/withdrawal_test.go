package withdrawal_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/withdrawal"
)

func TestNamesReadsWhatBrowsersSend(t *testing.T) {
	tests := []struct {
		header string
		want   []string
	}{
		{"", nil},
		{"a=1; b=2", []string{"a", "b"}},
		{"a=1;b=2; c=3", []string{"a", "b", "c"}},
		{"a=1; a=2", []string{"a"}},
		{"a=1;\tb\t=2", []string{"a", "b"}},
		{strings.Repeat("n", 4096) + "=", []string{strings.Repeat("n", 4096)}},
		{" a = 1 ;; =x; ;b", []string{"a", "b"}},
		{`"q"=1; naïve=2; two words=3; \xff=4`, []string{`"q"`, "naïve", "two words", `\xff`}},
		{"a\x00b=1; c\r\nX: y=2; \x7f=3; d=4", []string{"d"}},
		{strings.Repeat("n", 4097) + "=1; a=2", []string{"a"}},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, slices.Collect(withdrawal.Names(test.header)), "%q", test.header)
	}
}

// A header may repeat its names a hundred thousand times.
func TestNamesTakesTimeInProportionToTheHeader(t *testing.T) {
	var some strings.Builder
	for i := range 170 {
		fmt.Fprintf(&some, "name%d=; ", i)
	}
	least := func(repeats int) time.Duration {
		header := strings.Repeat(some.String(), repeats)
		best := time.Hour
		for range 5 {
			began := time.Now()
			for range withdrawal.Names(header) {
			}
			best = min(best, time.Since(began))
		}
		return best / time.Duration(repeats)
	}
	assert.Less(t, least(400), 20*least(4))
}

func TestWithoutLeavesTheRestByteForByte(t *testing.T) {
	hide := func(name string) bool { return name == "ad" || name == "é" }
	for header, want := range map[string]string{
		"a=1; b=2":                     "a=1; b=2",
		"ad=1; a=1":                    "a=1",
		"a=1; ad=1; b=2":               "a=1; b=2",
		"a=1; ad=1":                    "a=1",
		"ad=1; ad=2":                   "",
		"ad":                           "",
		"a=ad=1;  b ;;ad =1;\tc=\"x;y": "a=ad=1;  b ;;\tc=\"x;y",
		"é=1;a":                        "a",
		"a=1;\tad\t=1; b=2":            "a=1; b=2",
		"ad=1;  a=1":                   " a=1",
		"":                             "",
		"ADS=1; ad1=2":                 "ADS=1; ad1=2",
	} {
		assert.Equal(t, want, withdrawal.Without(header, hide), header)
	}
}

func TestNamesIsBounded(t *testing.T) {
	var header strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&header, "n%d=; ", i)
	}
	assert.Len(t, slices.Collect(withdrawal.Names(header.String())), 180)
	for name := range withdrawal.Names(header.String()) {
		assert.Equal(t, "n0", name)
		break // panics if Names goes on
	}
}

// domainsOf returns the Domain of each line that deletes a cookie at a host; "" for a
// line without.
func domainsOf(t *testing.T, host string) (domains []string) {
	for _, line := range withdrawal.Lines([]withdrawal.Cookie{{Name: "n", Path: "/"}}, host, false, 0) {
		assert.True(t, strings.HasPrefix(line, "n=; Path=/; Max-Age=0"), line)
		_, domain, _ := strings.Cut(line, "; Domain=")
		domains = append(domains, domain)
	}
	return domains
}

func TestLinesTriesEveryDomainThatTheCookieMayHave(t *testing.T) {
	tests := []struct {
		host string
		want []string // the Domain of each line; "" for a line without
	}{
		{"example.org", []string{"", "example.org"}},
		{"www.example.org:8080", []string{"", "example.org", "www.example.org"}},
		{"a.b.example.org.", []string{"", "example.org", "b.example.org", "a.b.example.org"}},
		{"localhost", []string{""}},
		{"localhost:8080", []string{""}},
		{"127.0.0.1:8080", []string{""}},
		{"[::1]:8080", []string{""}},
		{"[::1]", []string{""}},
		{"", []string{""}},
		{"evil; HttpOnly.example.org", []string{""}},
		{"..example.org", []string{""}},
		{".example.org", []string{""}},
		{"a..org", []string{""}},
		{"WWW.under_score-1.org", []string{"", "under_score-1.org", "WWW.under_score-1.org"}},
		{"example.org:1:2", []string{""}},
		{strings.Repeat("a", 249) + ".org", []string{"", strings.Repeat("a", 249) + ".org"}},
		{strings.Repeat("a", 250) + ".org", []string{""}},
	}
	for _, test := range tests {
		t.Run(test.host, func(t *testing.T) {
			assert.Equal(t, test.want, domainsOf(t, test.host))
		})
	}
	// The host alone, what has two labels up to ten, and the host itself.
	assert.Len(t, domainsOf(t, strings.Repeat("a.", 120)+"org"), 1+9+1)
}

func TestLinesKeepsToWhatIsDeclared(t *testing.T) {
	for what, test := range map[string]struct {
		cookie withdrawal.Cookie
		host   string
		want   []string // the last ones, if the site is on https
	}{
		"all of it": {withdrawal.Cookie{Name: "n", Domain: ".example.org", Path: "/shop"}, "www.example.org", []string{
			"n=; Path=/shop; Max-Age=0; Domain=.example.org",
			"n=; Path=/shop; Max-Age=0; Secure; Partitioned; Domain=.example.org"}},
		"no domain": {withdrawal.Cookie{Name: "n", Path: "/"}, "localhost", []string{
			"n=; Path=/; Max-Age=0", "n=; Path=/; Max-Age=0; Secure; Partitioned"}},
		"the likely ones first": {withdrawal.Cookie{Name: "n", Path: "/"}, "example.org", []string{
			"n=; Path=/; Max-Age=0", "n=; Path=/; Max-Age=0; Domain=example.org",
			"n=; Path=/; Max-Age=0; Secure; Partitioned", "n=; Path=/; Max-Age=0; Secure; Partitioned; Domain=example.org"}},
		"a host's": {withdrawal.Cookie{Name: "__Host-n", Domain: "example.org", Path: "/"}, "www.example.org", []string{
			"__Host-n=; Path=/; Max-Age=0; Secure", "__Host-n=; Path=/; Max-Age=0; Secure; Partitioned"}},
		"the shortest of them": {withdrawal.Cookie{Name: "__Host-", Path: "/"}, "www.example.org", []string{
			"__Host-=; Path=/; Max-Age=0; Secure", "__Host-=; Path=/; Max-Age=0; Secure; Partitioned"}},
		"a host's, for http": {withdrawal.Cookie{Name: "__Host-Http-n", Path: "/"}, "www.example.org", []string{
			"__Host-Http-n=; Path=/; Max-Age=0; Secure; HttpOnly", "__Host-Http-n=; Path=/; Max-Age=0; Secure; HttpOnly; Partitioned"}},
		"one for http": {withdrawal.Cookie{Name: "__http-n", Domain: "example.org", Path: "/"}, "www.example.org", []string{
			"__http-n=; Path=/; Max-Age=0; Secure; HttpOnly; Domain=example.org", "__http-n=; Path=/; Max-Age=0; Secure; HttpOnly; Partitioned; Domain=example.org"}},
		"a secure one": {withdrawal.Cookie{Name: "__secure-n", Domain: "example.org", Path: "/"}, "www.example.org", []string{
			"__secure-n=; Path=/; Max-Age=0; Secure; Domain=example.org", "__secure-n=; Path=/; Max-Age=0; Secure; Partitioned; Domain=example.org"}},
	} {
		assert.Equal(t, test.want, withdrawal.Lines([]withdrawal.Cookie{test.cookie}, test.host, true, 0), what)
		assert.Equal(t, test.want[:len(test.want)/2], withdrawal.Lines([]withdrawal.Cookie{test.cookie}, test.host, false, 1), "%s, on plain http", what)
	}
}

const budget = 2 << 10

func size(lines []string) (n int) {
	for _, line := range lines {
		n += len("Set-Cookie: \r\n") + len(line)
	}
	return n
}

func TestLinesAreWithinABudget(t *testing.T) {
	const host = "a.b.c.d.example.org" // six labels
	var cookies []withdrawal.Cookie
	for what, name := range map[string]string{"many": "_t_%02d", "long": "_tracker_of_a_company_that_has_a_long_name_and_says_so_%02d"} {
		cookies = nil
		for i := range 60 {
			cookies = append(cookies, withdrawal.Cookie{Name: fmt.Sprintf(name, i), Path: "/"})
		}
		for turn := range uint(2 * len(cookies)) {
			lines := withdrawal.Lines(cookies, host, true, turn)
			assert.LessOrEqual(t, size(lines), budget)
			if what == "many" {
				assert.Len(t, lines, 24)
			} else {
				assert.Greater(t, size(lines), budget-200)
			}
			first := cookies[turn/2].Name + "=; Path=/; Max-Age=0"
			assert.Equal(t, []string{first, first + "; Domain=example.org"}, lines[:2], "turn %d", turn)
			if turn%2 == 0 {
				assert.Equal(t, cookies[(turn/2+1)%60].Name+"=; Path=/; Max-Age=0", lines[2], "the likely lines of each")
			} else {
				assert.Equal(t, first+"; Domain=d.example.org", lines[2], "all lines of some")
			}
		}
	}
	few := withdrawal.Lines(cookies[:1], host, true, 0)
	assert.Len(t, few, 2*6)
	assert.Equal(t, few, withdrawal.Lines(cookies[:1], host, true, 7), "with room for all, the turn changes nothing")
	assert.Empty(t, withdrawal.Lines([]withdrawal.Cookie{{Name: strings.Repeat("n", 3000), Path: "/"}}, host, true, 0))
}

// Whatever a browser keeps of them, and wherever, is gone after some pages; so that
// one that cannot be deleted does not keep the others from it.
func TestAfterSomeResponsesAllAreDeleted(t *testing.T) {
	const host = "a.b.c.d.example.org"
	places := []string{"", "example.org", "d.example.org", "c.d.example.org", "b.c.d.example.org", host}
	for kind, lies := range map[string]func(i int) string{
		"at the host":      func(int) string { return places[0] },
		"at the site":      func(int) string { return places[1] },
		"in between":       func(int) string { return places[3] },
		"everywhere":       func(i int) string { return places[i%len(places)] },
		"some nowhere":     func(i int) string { return []string{"example.org", "never.example"}[i%2] },
		"most of them not": func(i int) string { return []string{"never.example", "never.example", "c.d.example.org"}[i%3] },
	} {
		kept := map[string]string{} // by name, the line that deletes it
		for i := range 60 {
			name := fmt.Sprintf("_tracker_%02d", i)
			kept[name] = name + "=; Path=/; Max-Age=0; Domain=" + lies(i)
			kept[name] = strings.TrimSuffix(kept[name], "; Domain=")
		}
		turns := rand.New(rand.NewPCG(1, 2))
		responses := 0
		for ; responses < 300; responses++ {
			var cookies []withdrawal.Cookie
			hopeless := 0
			for _, name := range slices.Sorted(maps.Keys(kept)) {
				cookies = append(cookies, withdrawal.Cookie{Name: name, Path: "/"})
				if strings.HasSuffix(kept[name], "never.example") {
					hopeless++
				}
			}
			if len(kept) == hopeless {
				break
			}
			for _, line := range withdrawal.Lines(cookies, host, true, turns.Uint()) {
				if name, _, _ := strings.Cut(line, "="); kept[name] == line {
					delete(kept, name)
				}
			}
		}
		t.Log(kind, responses)
		assert.Less(t, responses, 200, kind)
	}
}
