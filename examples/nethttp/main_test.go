package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

func TestADecisionCountsByEveryProtocol(t *testing.T) {
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	for name, by := range map[string]struct {
		proto  string
		serve  func(*httptest.Server)
		client func(*httptest.Server) *http.Client
	}{
		"HTTP/1.1": {"HTTP/1.1", (*httptest.Server).Start, (*httptest.Server).Client},
		"h2c": {"HTTP/2.0", (*httptest.Server).Start, func(*httptest.Server) *http.Client {
			return &http.Client{Transport: &http.Transport{Protocols: h2c}}
		}},
		"HTTP/1.1 by TLS": {"HTTP/1.1", (*httptest.Server).StartTLS, (*httptest.Server).Client},
		"HTTP/2":          {"HTTP/2.0", func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }, (*httptest.Server).Client},
	} {
		t.Run(name, func(t *testing.T) {
			site, err := newServer()
			require.NoError(t, err)
			server := httptest.NewUnstartedServer(nil)
			server.Config = site
			by.serve(server)
			t.Cleanup(server.Close)
			client := by.client(server)
			t.Cleanup(client.CloseIdleConnections)

			page := server.URL + "/"
			visitor := drive.Visit(t, client, page, "theme", "_pk_id.1.1fff")
			assert.Equal(t, by.proto, visitor.Get(page).Proto)
		})
	}
}
