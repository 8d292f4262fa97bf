package caches

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// host has six labels, and so five domains that a cookie of it can have.
const host = "a.b.c.d.shop.example"

// haproxyConf keeps what HAProxy has by default: a buffer of 16 KB, 1 KB of it in
// reserve.
const haproxyConf = `defaults
	mode http
	timeout connect 10s
	timeout client 10s
	timeout server 10s
frontend site
	bind %[1]s
	default_backend site
backend site
	server site %[2]s
`

// keeper is a Recorder, so that decisions carry a reference.
type keeper struct{}

func (keeper) Record(context.Context, consent.Record) error { return nil }
func (keeper) RecordLater(consent.Record)                   {}

// newShop returns a site that declares cookies of these names, each of a provider of its
// own. It sends twenty fields with each response, as careful sites do.
func newShop(t *testing.T, names []string) http.Handler {
	t.Helper()
	var declared []consent.Cookie
	for i, name := range names {
		declared = append(declared, consent.Cookie{
			Provider: fmt.Sprint("Provider ", i), Name: name, Purpose: consent.Text{language.English: "x"}, Category: consent.ThirdParty,
		})
	}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(declared...),
		Keys:     [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		Recorder: keeper{},
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html><title>.</title>") })
	mux.HandleFunc("POST /refuse", func(w http.ResponseWriter, r *http.Request) {
		if err := mw.Save(w, r, consent.RefuseAll()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 20 {
			w.Header().Set(fmt.Sprint("X-Careful-", i), "strict-origin")
		}
		mux.ServeHTTP(w, r)
	}))
}

// A browser goes from page to page of the site at host, with a jar of its own.
type browser struct{ http.Client }

func newBrowser(t *testing.T, proxy string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{http.Client{Jar: jar, Transport: through(proxy), CheckRedirect: stay}}
}

// through is the address of a proxy, which would end TLS.
type through string

func (p through) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", string(p)
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		// Such a line deletes a cookie that is partitioned, which this jar cannot tell from
		// another.
		response.Header["Set-Cookie"] = slices.DeleteFunc(response.Header["Set-Cookie"], func(line string) bool {
			return strings.Contains(line, "; Partitioned")
		})
	}
	return response, err
}

var site = &url.URL{Scheme: "https", Host: host, Path: "/"}

// has returns how many cookies of the shop the browser sends.
func (b *browser) has() (n int) {
	for _, c := range b.Jar.Cookies(site) {
		if c.Name != consent.CookieName {
			n++
		}
	}
	return n
}

func (b *browser) ask(t *testing.T, method, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, site.JoinPath(path).String(), nil)
	require.NoError(t, err)
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	request.Header.Set("Sec-Fetch-Dest", "document")
	response, err := b.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	return response
}

// places are where the cookies of a visitor lie: the domain of each, "" for the host
// alone. No declaration names it.
var places = map[string]func(i int) string{
	"the host": func(int) string { return "" },
	"the site": func(int) string { return "shop.example" },
	"the two":  func(i int) string { return []string{"", "shop.example"}[i%2] },
	"every domain": func(i int) string {
		return []string{"", "shop.example", "d.shop.example", "c.d.shop.example", "b.c.d.shop.example", host}[i%6]
	},
}

// A proxy refuses a head that is longer than its buffer, or has too many fields, and the
// refusal would be lost with the head: a part of the cookies goes with the answer, and the
// others with the pages that follow.
func TestRefusingArrivesThroughAProxy(t *testing.T) {
	for proxy, shops := range map[string][]int{"nginx": {10, 25, 60, 100}, "varnishd": {60}, "haproxy": {60}} {
		for _, pattern := range []string{"_a%02d", "_advertisement_of_a_company_that_has_a_longer_name_than_the_others_%02d"} {
			for _, n := range shops {
				t.Run(fmt.Sprint(proxy, "/", pattern, "/", n), func(t *testing.T) {
					t.Parallel()
					var names []string
					for i := range n {
						names = append(names, fmt.Sprintf(pattern, i))
					}
					front := inFront(t, proxy, newShop(t, names))
					for place, domain := range places {
						b := newBrowser(t, front)
						for i, name := range names {
							b.Jar.SetCookies(site, []*http.Cookie{{Name: name, Value: "1", Path: "/", Domain: domain(i)}})
						}
						require.Equal(t, n, b.has(), place)
						response := b.ask(t, "POST", "/refuse")
						require.Equal(t, http.StatusSeeOther, response.StatusCode, place)
						require.True(t, slices.ContainsFunc(response.Cookies(), func(c *http.Cookie) bool { return c.Name == consent.CookieName }), place)
						require.Less(t, b.has(), n, place)
						pages := 0
						for ; b.has() > 0 && pages < 300; pages++ {
							require.Equal(t, http.StatusOK, b.ask(t, "GET", "/").StatusCode, place)
						}
						assert.Zero(t, b.has(), place)
						t.Logf("%d cookies of %s are gone after %d pages", n, place, pages)
					}
				})
			}
		}
	}
}
