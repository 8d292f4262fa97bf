package main

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

// messages come back byte for byte, those that look like a head too.
var messages = [][]byte{
	[]byte("hello"),
	[]byte("HTTP/1.1 200 OK\r\nSet-Cookie: _pk_id.1.1fff=1\r\n\r\n"),
	bytes.Repeat([]byte{0, 0xFF, '\n'}, 10<<10),
	{},
}

func TestAnUpgradeSetsWhatTheVisitorAllowsAndMessagesPass(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	server := drive.Serve(t, site)
	page := server.URL + "/"
	visitor := drive.Visit(t, server.Client(), page, "theme", "_pk_id.1.1fff")

	for _, path := range []string{"gorilla", "coder"} {
		for library, echo := range map[string]func(*testing.T, *http.Client, string) *http.Response{"gorilla": byGorilla, "coder": byCoder} {
			t.Run(path+", dialled by "+library, func(t *testing.T) {
				for choice, passes := range map[string]bool{"accept": true, "refuse": false} {
					visitor.Decide(page, choice)
					upgrade := &drive.Answer{Response: echo(t, visitor.Client, page+path)}
					assert.Equal(t, http.StatusSwitchingProtocols, upgrade.StatusCode)
					assert.True(t, upgrade.Sets("theme"))
					assert.Equal(t, passes, upgrade.Sets("_pk_id.1.1fff"), choice)
				}
			})
		}
	}
}

// byGorilla sends the messages, expects each back, and returns the response to
// the upgrade.
func byGorilla(t *testing.T, client *http.Client, url string) *http.Response {
	dialer := gorilla.Dialer{Jar: client.Jar}
	conn, response, err := dialer.Dial("ws"+url[len("http"):], nil)
	require.NoError(t, err)
	defer conn.Close()
	for _, message := range messages {
		require.NoError(t, conn.WriteMessage(gorilla.BinaryMessage, message))
		kind, back, err := conn.ReadMessage()
		require.NoError(t, err)
		assert.Equal(t, gorilla.BinaryMessage, kind)
		assert.True(t, bytes.Equal(message, back))
	}
	return response
}

// byCoder does the same by the other library.
func byCoder(t *testing.T, client *http.Client, url string) *http.Response {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, response, err := coder.Dial(ctx, url, &coder.DialOptions{HTTPClient: client})
	require.NoError(t, err)
	defer conn.CloseNow()
	for _, message := range messages {
		require.NoError(t, conn.Write(ctx, coder.MessageBinary, message))
		kind, back, err := conn.Read(ctx)
		require.NoError(t, err)
		assert.Equal(t, coder.MessageBinary, kind)
		assert.True(t, bytes.Equal(message, back))
	}
	return response
}
