package main

import (
	"bufio"
	"context"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

func TestEventsArriveOneAtATime(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			events := make(chan string)
			site, err := newSite(func(ctx context.Context) (event string, more bool) {
				select {
				case event, more = <-events:
				case <-ctx.Done():
				}
				return event, more
			})
			require.NoError(t, err)
			server := httptest.NewUnstartedServer(site)
			server.EnableHTTP2 = http2
			server.StartTLS()
			t.Cleanup(server.Close)
			page := server.URL + "/"
			visitor := drive.Visit(t, server.Client(), page, "theme", "_pk_id.1.1fff")
			visitor.Decide(page, "accept")

			response, err := visitor.Client.Get(page + "events") // the head comes before any event
			require.NoError(t, err)
			defer response.Body.Close()
			assert.Equal(t, name, response.Proto)
			stream := bufio.NewReader(response.Body)
			for _, event := range []string{"one", "two", "three"} {
				events <- event // and no other before this one has been read
				line, err := stream.ReadString('\n')
				require.NoError(t, err)
				assert.Equal(t, "data: "+event+"\n", line)
				_, err = stream.Discard(len("\n"))
				require.NoError(t, err)
			}
			close(events)
			rest, err := io.ReadAll(stream)
			require.NoError(t, err)
			assert.Empty(t, rest)
			assert.True(t, (&drive.Answer{Response: response}).Sets("_pk_id.1.1fff"))

			visitor.Decide(page, "refuse")
			refused := visitor.Get(page + "events")
			assert.True(t, refused.Sets("theme"))
			assert.False(t, refused.Sets("_pk_id.1.1fff"))
		})
	}
}
