package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheCommandWritesConsentRecords(t *testing.T) {
	path, keys := sealedBooks(t)
	export := []string{"-db", path, "-keys", keys, "export", "-format", "27560", "-controller", controller}
	out, err := ledgerOf(t, export...)
	require.NoError(t, err)
	var document map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &document))
	assert.Len(t, document["@graph"], 5, "three records, the controller and a recipient")
	assert.Contains(t, out, `"@type":["dpv:ConsentWithdrawn"]`)

	receipt := []string{"-db", path, "-keys", keys, "receipt", "-controller", controller, visitor.String()}
	out, err = ledgerOf(t, receipt...)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &document))
	assert.Len(t, document["dpv:hasRecordOfActivity"], 3)

	tamper(t, path, "UPDATE consent_record SET language = 'fr' WHERE n = 2")
	out, err = ledgerOf(t, export...)
	assert.ErrorContains(t, err, "1 records are left out, since they are not as they were written")
	require.NoError(t, json.Unmarshal([]byte(out), &document))
	assert.Len(t, document["@graph"], 4)
	out, err = ledgerOf(t, receipt...)
	assert.ErrorContains(t, err, "is not as it was written: it was altered")
	assert.Empty(t, out)
}
