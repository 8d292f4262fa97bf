package charter

import (
	"fmt"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// The sentences are held against each other from inside of the package, where
// they are.

func spoken(t testing.TB) map[string]*words {
	t.Helper()
	c := &Charter{site: language.English}
	require.NoError(t, c.speak())
	all := make(map[string]*words)
	for _, draw := range c.drawings {
		w := draw().words
		all[w.tag.String()] = w
	}
	return all
}

// sentences returns every sentence by the name of its key.
func (w *words) sentences() map[string]string {
	all := make(map[string]string)
	v := reflect.ValueOf(*w)
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String && v.Type().Field(i).IsExported() {
			all[v.Type().Field(i).Name] = f.String()
		}
	}
	for _, category := range kinds {
		all[string(category)+" Title"] = w.Categories[category].Title
		all[string(category)+" About"] = w.Categories[category].About
	}
	return all
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	placeholder := regexp.MustCompile(`\{[^}]*\}?`)
	all := spoken(t)
	english := all["en"].sentences()
	for tag, w := range all {
		for key, sentence := range w.sentences() {
			assert.NotEmpty(t, sentence, "%s: %s", tag, key)
			assert.Equal(t, placeholder.FindAllString(english[key], -1), placeholder.FindAllString(sentence, -1), "%s: %s", tag, key)
			if tag != "en" && len(english[key]) > 20 {
				assert.NotEqual(t, english[key], sentence, "%s: %s is still in English", tag, key)
			}
		}
		for _, unit := range []string{"minute", "hour", "day", "month", "year"} {
			for n := range 2000 {
				form := formNames[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)]
				require.Regexp(t, `\{n\}`, w.Units[unit][form], "%s: %s has no form %q, for %d", tag, unit, form, n)
			}
		}
	}
}

func TestLifetimesAreSaidInWords(t *testing.T) {
	const day = 24 * time.Hour
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
	} {
		assert.Equal(t, want, spoken(t)["en"].lifetime(d), fmt.Sprint(d))
	}
	assert.Equal(t, "13 mois", spoken(t)["fr"].lifetime(13*30*day))
	assert.Equal(t, "1 Tag", spoken(t)["de"].lifetime(day))
}
