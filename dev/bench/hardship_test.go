package main

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAServerIsARoundTripAway(t *testing.T) {
	const roundTrip = 200 * time.Millisecond
	server := startServer(content(), roundTrip)
	defer server.Close()
	ask := func() time.Duration {
		begin := time.Now()
		response, err := server.Client().Get(server.URL)
		require.NoError(t, err)
		sent, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Equal(t, string(body), string(sent))
		return time.Since(begin)
	}
	assert.GreaterOrEqual(t, ask(), 2*roundTrip, "a connection opens, and a request is answered")
	again := ask()
	assert.GreaterOrEqual(t, again, roundTrip)
	assert.Less(t, again, 2*roundTrip, "the connection is open")
}
