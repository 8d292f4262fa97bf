// Package roads tries the middleware with the routers, frameworks and servers that
// have no example of their own: each by its real code, over a connection if it
// has one.
package roads

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/examples/internal/drive"
)

// The two cookies of every site here: one that is necessary, and one that waits.
const necessary, asked = "theme", "_pk_id.1.1fff"

var registry = consent.MustRegistry(
	consent.Cookie{Provider: "Example", Name: necessary, Purpose: consent.Text{language.English: "Remembers light or dark."}, Category: consent.Necessary},
	consent.Cookie{Provider: "Matomo", Name: "_pk_id*", Purpose: consent.Text{language.English: "Counts visitors."}, Category: consent.Statistics},
)

// A site is what a framework or a server is given to make a handler of, in its own
// way. "GET /", "POST /accept", "GET /stream" and a page that is not there set both
// cookies; "/cookies/" is the charter.
type site struct {
	mw   *consent.Middleware
	site *charter.Charter
	more chan struct{} // the second part of the stream waits for it
}

func newSite() (s site, err error) {
	// The key is the same in every process, since a CGI program is a new one each time.
	config := consent.Config{Registry: registry, Keys: [][]byte{[]byte(strings.Repeat("k", 32))}, Insecure: true}
	if s.mw, err = consent.NewMiddleware(config); err != nil {
		return s, err
	}
	s.site, err = charter.New(charter.Config{Middleware: s.mw})
	s.more = make(chan struct{})
	return s, err
}

func cookies() []*http.Cookie {
	return []*http.Cookie{{Name: necessary, Value: "dark"}, {Name: asked, Value: "b2"}}
}

func setBoth(w http.ResponseWriter) {
	for _, c := range cookies() {
		http.SetCookie(w, c)
	}
}

// The pages for whatever takes handlers of net/http.

func page(w http.ResponseWriter, r *http.Request) {
	setBoth(w)
	fmt.Fprint(w, "counted: ", consent.FromContext(r.Context()).Allows(consent.Statistics))
}

func missing(w http.ResponseWriter, _ *http.Request) {
	setBoth(w)
	http.Error(w, "not here", http.StatusNotFound)
}

func (s site) accept(w http.ResponseWriter, r *http.Request) {
	if err := s.mw.Save(w, r, consent.AcceptAll()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	page(w, r)
}

func (s site) stream(w http.ResponseWriter, r *http.Request) {
	setBoth(w)
	io.WriteString(w, "one,")
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		panic(err)
	}
	s.wait(r.Context().Done())
	fmt.Fprint(w, "late: ", errors.Is(s.mw.Save(w, r, consent.AcceptAll()), consent.ErrTooLate))
}

func (s site) wait(gone <-chan struct{}) {
	select {
	case <-s.more:
	case <-gone:
	}
}

// What a trial leaves out, and why stands next to its use.
type limits struct {
	buffers bool // nothing arrives before the handler has returned
	noSave  bool // handlers get no request of the middleware's
}

// try visits a site as a browser does, before and after consent.
func try(t *testing.T, s site, client *http.Client, url string, but limits) {
	t.Helper()
	v := drive.New(t, client)

	before := v.Get(url + "/")
	require.Equal(t, http.StatusOK, before.StatusCode, before.Text)
	assert.True(t, before.Sets(necessary), "what is necessary passes")
	assert.False(t, before.Sets(asked), "what was not agreed to is removed")
	if !but.noSave {
		assert.Contains(t, before.Text, "counted: false")
	}

	gone := v.Get(url + "/missing")
	assert.Equal(t, http.StatusNotFound, gone.StatusCode)
	assert.True(t, gone.Sets(necessary), "a page that is not there")
	assert.False(t, gone.Sets(asked), "a page that is not there")
	s.tryStream(t, v, url+"/stream", but)

	accepted := v.Post(url+"/accept", nil)
	require.Equal(t, http.StatusOK, accepted.StatusCode, accepted.Text)
	assert.True(t, accepted.Sets(consent.CookieName), "a decision is kept")
	if !but.noSave {
		assert.True(t, accepted.Sets(asked), "a decision counts at once")
	}
	after := v.Get(url + "/")
	assert.True(t, after.Sets(necessary) && after.Sets(asked), "both lines arrive: %q", after.Header["Set-Cookie"])

	refused := v.Decide(url+"/", "refuse")
	require.Equal(t, url+"/", refused.Request.URL.String(), "the charter leads back: %d %s", refused.StatusCode, refused.Text)
	assert.True(t, refused.Sets(necessary))
	assert.False(t, refused.Sets(asked), "what the charter was told to refuse is removed")
	if !but.noSave {
		assert.Contains(t, after.Text, "counted: true")
	}
}

// tryStream reads the first part of a response before the handler writes the
// second.
func (s site) tryStream(t *testing.T, v *drive.Visitor, url string, but limits) {
	t.Helper()
	if but.buffers {
		close(s.more)
	}
	request, err := http.NewRequest("GET", url, nil)
	require.NoError(t, err)
	response, err := v.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	set := fmt.Sprint(response.Header["Set-Cookie"])
	assert.Contains(t, set, necessary)
	assert.NotContains(t, set, asked)
	var read strings.Builder
	for part := make([]byte, 512); !strings.Contains(read.String(), "one"); {
		n, err := response.Body.Read(part)
		read.Write(part[:n])
		if err == io.EOF && but.buffers {
			break
		}
		require.NoError(t, err, "the first part: %q", read.String())
	}
	if !but.buffers {
		select {
		case s.more <- struct{}{}:
		case <-time.After(time.Minute):
			t.Fatal("the handler does not wait for the reader")
		}
	}
	rest, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if but.noSave {
		assert.Contains(t, read.String()+string(rest), "two")
	} else {
		assert.Contains(t, read.String()+string(rest), "late: true", "a Save comes too late then")
	}
}
