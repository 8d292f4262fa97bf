package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

func TestGzipOutsideAndInsideGiveTheSamePage(t *testing.T) {
	outside, inside, err := newSites()
	require.NoError(t, err)
	for name, site := range map[string]http.Handler{"outside": outside, "inside": inside} {
		t.Run(name, func(t *testing.T) {
			server := drive.Serve(t, site)
			page := server.URL + "/"
			visitor := drive.Visit(t, server.Client(), page, "theme", "_pk_id.1.1fff")
			visitor.Decide(page, "accept")

			request, err := http.NewRequest("GET", page, nil)
			require.NoError(t, err)
			request.Header.Set("Accept-Encoding", "identity")
			plain := visitor.Send(request)
			assert.Empty(t, plain.Header.Get("Content-Encoding"))
			assert.True(t, plain.Sets("_pk_id.1.1fff"))

			compressed := visitor.Get(page)
			assert.True(t, compressed.Uncompressed, "the client has had it compressed")
			assert.True(t, compressed.Sets("_pk_id.1.1fff"))
			assert.Equal(t, plain.Text, compressed.Text)
		})
	}
}
