package charter

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// These tests are inside the package, since the sentences are not exported.

func allWords(t testing.TB) map[string]*words {
	t.Helper()
	c := &Charter{defaultLanguage: language.English, templates: templates}
	require.NoError(t, c.readLanguages(nil))
	all := make(map[string]*words)
	for _, localized := range c.localized {
		w := localized().words
		all[w.tag.String()] = w
	}
	return all
}

func TestEveryOfficialLanguageOfTheUnionSaysEverything(t *testing.T) {
	all := allWords(t)
	for tag := range strings.FieldsSeq("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv") {
		require.Contains(t, all, tag)
	}
	english := all["en"].sentences(libraryCategories)
	for tag, w := range all {
		assert.NoError(t, w.check(libraryCategories), tag)
		for key, sentence := range w.sentences(libraryCategories) {
			if tag != "en" && len(english[key]) > 20 {
				assert.NotEqual(t, english[key], sentence, "%s: %s is still in English", tag, key)
			}
		}
	}
}

func TestAnIncompleteLanguageSaysWhatItLacks(t *testing.T) {
	w := *allWords(t)["en"]
	w.Refuse, w.Decided, w.Show = "", "On {day}.", "Show {content}"
	w.Units = map[string]counts{"minute": {"one": "{n} minute", "other": "minutes"}}
	for _, want := range []string{"Refuse is missing", "Decided holds", "Show holds", "Units.minute.other", "Units.day.one"} {
		assert.ErrorContains(t, w.check(nil), want)
	}
	assert.NotContains(t, w.check(nil).Error(), "Units.minute.one")
}

func TestEveryCategoryOfTheLibraryHasTexts(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../categories.go", nil, 0)
	require.NoError(t, err)
	var constants []consent.Category
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Category" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			constants = append(constants, consent.Category(value))
		}
		return true
	})
	require.Contains(t, constants, consent.Advertising)
	assert.Equal(t, constants, libraryCategories, "in the order of categories.go")
}

func TestLifetimesAreSaidInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                          "until the browser is closed",
		time.Second:                "1 minute",
		90 * time.Second:           "2 minutes",
		time.Hour:                  "1 hour",
		90 * time.Minute:           "2 hours",
		36 * time.Hour:             "36 hours",
		day:                        "1 day",
		7 * day:                    "7 days",
		30 * day:                   "1 month",
		180 * day:                  "6 months",
		13 * 30 * day:              "13 months",
		365 * day:                  "1 year",
		730 * day:                  "2 years",
		100*day + 13*time.Hour + 1: "101 days",
		61 * time.Minute:           "2 hours",
		35 * time.Hour:             "35 hours",
	} {
		assert.Equal(t, want, allWords(t)["en"].lifetime(consent.HTTPCookie, d), fmt.Sprint(d))
	}
	assert.Equal(t, "13 mois", allWords(t)["fr"].lifetime(consent.HTTPCookie, 13*30*day))
	assert.Equal(t, "1 Tag", allWords(t)["de"].lifetime(consent.HTTPCookie, day))
}
