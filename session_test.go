package consent_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// streaming has a method that hands out the stream itself, as quic-go's writer has.
type streaming struct{ *httptest.ResponseRecorder }

func (streaming) HTTPStream() {}

// A road that nobody knows is closed, but for a session of WebTransport, of whose head
// browsers store no cookie (see examples/internal/roads).
func TestNothingLeaksByAMethodThatNobodyKnows(t *testing.T) {
	for request, isSession := range map[string]bool{
		"CONNECT webtransport":    true, // before draft 15
		"CONNECT webtransport-h3": true,
		"CONNECT websocket":       false,
		"CONNECT connect-udp":     false,
		"CONNECT WebTransport":    false,
		"CONNECT HTTP/3.0":        false,
		"CONNECT ":                false,
		"GET webtransport":        false,
		"GET HTTP/3.0":            false,
	} {
		t.Run(request, func(t *testing.T) {
			var removed []string
			mw := middleware(t, func(c *consent.Config) {
				c.Observe = func(_ *http.Request, e consent.Event) {
					if e.Outcome == consent.OutcomeRemoved {
						removed = append(removed, e.Cookie)
					}
				}
			})
			method, protocol, _ := strings.Cut(request, " ")
			r := httptest.NewRequest(method, "https://www.example.com/", nil)
			r.Proto = protocol
			outside := streaming{httptest.NewRecorder()}
			var saved error
			mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, streams := w.(interface{ HTTPStream() })
				assert.Equal(t, isSession, streams)
				assert.False(t, consent.FromContext(r.Context()).Allows(consent.Statistics))
				saved = mw.Save(w, r, consent.RefuseAll())
				setBoth(w)
				w.WriteHeader(200)
			})).ServeHTTP(outside, r)
			if isSession {
				assert.ErrorIs(t, saved, consent.ErrTooLate)
				assert.Empty(t, removed, "nobody is told of what has not happened")
				return
			}
			assert.NoError(t, saved)
			assert.Equal(t, []string{"sessionid", consent.CookieName}, names(outside.Result()))
			assert.Equal(t, []string{"profile"}, removed)
		})
	}
}
