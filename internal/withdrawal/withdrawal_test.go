package withdrawal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
			var got []string
			for _, line := range withdrawal.Lines("n", test.host, "", "") {
				assert.True(t, strings.HasPrefix(line, "n=; Path=/; Max-Age=0"), line)
				_, domain, _ := strings.Cut(line, "; Domain=")
				got = append(got, domain)
			}
			assert.Equal(t, test.want, got)
		})
	}
	// The host alone, what has two labels up to ten, and the host itself.
	assert.Len(t, withdrawal.Lines("n", strings.Repeat("a.", 120)+"org", "", ""), 1+9+1)
}

func TestLinesKeepsToWhatIsDeclared(t *testing.T) {
	const expired = "; Max-Age=0"
	assert.Equal(t, []string{"n=; Path=/shop" + expired + "; Domain=.example.org"},
		withdrawal.Lines("n", "www.example.org", ".example.org", "/shop"))
	assert.Equal(t, []string{"__Host-n=; Path=/" + expired + "; Secure"},
		withdrawal.Lines("__Host-n", "www.example.org", "", ""))
	assert.Equal(t, []string{"__Host-=; Path=/" + expired + "; Secure"},
		withdrawal.Lines("__Host-", "www.example.org", "", ""))
	assert.Equal(t, []string{"__Host-Http-n=; Path=/" + expired + "; Secure; HttpOnly"},
		withdrawal.Lines("__Host-Http-n", "www.example.org", "", ""))
	assert.Equal(t, []string{"__http-n=; Path=/" + expired + "; Secure; HttpOnly; Domain=example.org"},
		withdrawal.Lines("__http-n", "www.example.org", "example.org", ""))
	assert.Equal(t, []string{"__secure-n=; Path=/" + expired + "; Secure; Domain=example.org"},
		withdrawal.Lines("__secure-n", "www.example.org", "example.org", ""))
}
