package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheKnownNamesAreWhatTheGeneratorMakes(t *testing.T) {
	made := filepath.Join(t.TempDir(), "known.txt")
	require.NoError(t, generate("cookies.csv", made))
	want, err := os.ReadFile("known.txt")
	require.NoError(t, err)
	got, err := os.ReadFile(made)
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "known.txt is not up to date: go generate ./inventory/known")
}

func TestEveryCategoryOfTheTableIsAConstantOfTheLibrary(t *testing.T) {
	source, err := os.ReadFile("../../categories.go")
	require.NoError(t, err)
	constants := make(map[string]bool)
	for _, constant := range regexp.MustCompile(`\bCategory += +"([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		constants[constant[1]] = true
	}
	require.True(t, constants["necessary"] && constants["advertising"])
	table, err := os.ReadFile("known.txt")
	require.NoError(t, err)
	for _, line := range regexp.MustCompile(`(?m)^[a-z]\S+`).FindAllString(string(table), -1) {
		for category := range strings.SplitSeq(line, "/") {
			assert.True(t, constants[category], category)
		}
	}
}

func TestEveryPlatformWithAPurposeIsInTheData(t *testing.T) {
	rows, err := read("cookies.csv")
	require.NoError(t, err)
	found := make(map[string]bool)
	for _, r := range rows {
		found[r.platform] = true
	}
	for _, list := range []map[string]string{products, networks} {
		for platform := range list {
			assert.True(t, found[platform], platform)
		}
	}
}

func TestTheGeneratorReportsEveryBrokenRowByItsLine(t *testing.T) {
	const header = "platform,category,name,domain,retention,controller,wildcard\n"
	const good = "Acme,Analytics,acme_visit,,2 days,Acme,0\n"
	tests := []struct {
		name, csv string
		want      []string
	}{
		{"a header of its own", "a,b,c,d,e,f,g\n" + good, []string{":1: the first line is not platform,"}},
		{"too few fields", header + good + "Acme,Analytics\n", []string{":3: 2 fields in place of 7"}},
		{"too many", header + strings.TrimSuffix(good, "\n") + ",x\n", []string{":2: 8 fields in place of 7"}},
		{"a category of no kind", header + "Acme,Fun,acme_visit,,,Acme,0\n", []string{`:2: category "Fun" is none of Analytics, `}},
		{"no name", header + "Acme,Analytics, ,,,Acme,0\n", []string{":2: name is empty"}},
		{"a wildcard that is no number", header + "Acme,Analytics,acme_visit,,,Acme,yes\n", []string{`:2: wildcard "yes" is neither 0 nor 1`}},
		{"a terminal escape", header + "Acme,Analytics,acme\x1b[31m,,,Acme,0\n", []string{`:2: name "acme\x1b[31m" is not text`}},
		{"bytes that are not UTF-8", header + "Acm\xff,Analytics,acme_visit,,,Acme,0\n", []string{`:2: platform "Acm\xff" is not text`}},
		{"a line within a field", header + "\"Ac\nme\",Analytics,acme_visit,,,Acme,0\n" + "Acme\n", []string{`:2: platform "Ac\nme" is not text`, ":4: 1 fields"}},
		{"a quote in the midst", header + good + "Ac\"me,Analytics,acme_visit,,,Acme,0\n" + "x\n", []string{`:3: bare "`, ":4: 1 fields"}},
		{"a quote that is left open", header + "x\n" + "\"Acme,Analytics\n" + good, []string{":2: 1 fields", ":3: extraneous or missing"}},
		{"several at once", header + "Acme,Fun,,,,Acme,\n" + good + "x\n", []string{":2: name", ":2: category", ":2: wildcard", ":4: 1 fields"}},
		{"nothing", "", []string{": no row"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "broken.csv")
			to := filepath.Join(t.TempDir(), "known.txt")
			require.NoError(t, os.WriteFile(file, []byte(test.csv), 0o600))
			err := generate(file, to)
			require.Error(t, err)
			for _, want := range test.want {
				assert.ErrorContains(t, err, file+want)
			}
			assert.NotContains(t, err.Error(), "\x1b")
			assert.NoFileExists(t, to)
		})
	}
}
