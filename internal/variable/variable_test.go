package variable_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/variable"
)

func TestThePartThatDiffersIsFound(t *testing.T) {
	for name, want := range map[string]string{
		"_pk_id.1.1fff":                               "_pk_id.*",
		"session_8f3a9c1e":                            "session_*",
		"wizard-step12":                               "wizard-step*",
		"u_6f1c1b2e-9d1a-4f3b-8c5d-0123456789ab":      "",
		"user-6f1c1b2e-9d1a-4f3b-8c5d-0123456789ab-x": "user-*-x",
		"_ga":       "",
		"sessionid": "",
		"12345678":  "",
		"":          "",
		"a-" + strings.Repeat("1", variable.MaxName): "",
	} {
		from, to, ok := variable.Part(name)
		got := ""
		if ok {
			got = name[:from] + "*" + name[to:]
		}
		assert.Equal(t, want, got, name)
	}
}

func TestMixedCaseIsLettersInBothCases(t *testing.T) {
	assert.True(t, variable.MixedCase("aB1"))
	assert.False(t, variable.MixedCase("ab1"))
	assert.False(t, variable.MixedCase("AB1"))
	assert.False(t, variable.MixedCase(strings.Repeat("aB", variable.MaxName)))
}
