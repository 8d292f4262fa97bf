package dpv_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/ledger/internal/dpv"
)

func TestANameStandsForWhatTheVocabularySays(t *testing.T) {
	for name, kind := range map[string]dpv.Kind{
		"dpv:ServiceUsageAnalytics": dpv.Purpose,
		"dpv:ConsentWithdrawn":      dpv.Term,
		"dpv:hasPurpose":            dpv.Term,
		"pd:BrowsingBehaviour":      dpv.PersonalData,
		"dpv:PersonalData":          dpv.Term,
		"loc:FR":                    dpv.Place,
		"loc:EU":                    dpv.Place,
		"loc:US-CA":                 dpv.Place,
		"loc:XX-CA":                 "",
		"loc:US-california":         "",
		"dpv:Analytics":             "", // of version 1
		"dpv:serviceUsageAnalytics": "",
		"":                          "",
	} {
		assert.Equal(t, kind, dpv.KindOf(name), name)
	}
}
