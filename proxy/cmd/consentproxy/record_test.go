package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

func TestWhatVisitorsDecideIsInTheDatabaseThatIsNamed(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "consent.db")
	p := start(t, "-to", "http://127.0.0.1:1", "-db", db)
	visitor := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, choice := range []string{"accept", "refuse"} {
		response, err := visitor.PostForm(p.site+charterPath, url.Values{"choice": {choice}})
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusSeeOther, response.StatusCode)
	}
	require.NoError(t, p.Process.Signal(os.Interrupt))
	require.NoError(t, p.Wait(), p.errs)

	books, err := ledger.Open(context.Background(), db, ledger.Config{})
	require.NoError(t, err)
	defer books.Close(context.Background())
	report, err := books.Verify(context.Background(), nil)
	require.NoError(t, err)
	assert.True(t, report.OK(), report.Faults)
	assert.EqualValues(t, 2, report.Records, "the consent, and the refusal that was still on its way")
}
