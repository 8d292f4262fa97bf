package browser

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// What a browser keeps, sends and holds back, only a browser knows. These tests lead
// one from page to page; each page says where to go next, and the server sees with
// which cookies it comes.

// A tour is a server that a browser walks through. Its hosts end in ".localhost",
// which browsers take for safe without https; "shop.localhost" and "bank.localhost"
// are two sites.
type tour struct {
	*http.ServeMux
	walk
	port string
	once sync.Once
}

// walkTour opens the first page in a browser, and returns when it has got to /done.
func walkTour(t *testing.T, open func(*testing.T, string), first string, route func(*tour)) {
	t.Helper()
	w := &tour{ServeMux: http.NewServeMux(), walk: newWalk()}
	var mu sync.Mutex
	var last []string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.note()
		mu.Lock()
		last = append(last, r.Method+" "+r.Host+r.URL.String())
		mu.Unlock()
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	_, w.port, _ = strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	w.HandleFunc("/done", func(http.ResponseWriter, *http.Request) { w.once.Do(func() { close(w.done) }) })
	route(w)
	open(t, w.url(first))
	if !w.ends() {
		mu.Lock()
		defer mu.Unlock()
		t.Fatalf("the browser does not come to the end; it asked for %q", last)
	}
}

// url returns a host and a path as a browser wants them.
func (w *tour) url(to string) string {
	host, path, _ := strings.Cut(to, "/")
	return "http://" + host + ":" + w.port + "/" + path
}

// page is a handler of a page that runs a script.
func (w *tour) page(script string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, "<!doctype html><title>.</title><body><script>%s</script>", script)
	}
}

// to is the script of a page that leads to another one.
func (w *tour) to(next string) string { return fmt.Sprintf("location.replace(%q)", w.url(next)) }

// touredSite returns the middleware of the pages of a tour, with these declarations.
func touredSite(t *testing.T, config consent.Config, cookies ...consent.Cookie) *consent.Middleware {
	t.Helper()
	for i := range cookies {
		cookies[i].Purpose = english("Is set on a tour.")
	}
	config.Registry, config.Keys = consent.MustRegistry(cookies...), [][]byte{bytes.Repeat([]byte("k"), 32)}
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	return mw
}

// sets sends these Set-Cookie lines.
func sets(w http.ResponseWriter, lines ...string) {
	for _, line := range lines {
		w.Header().Add("Set-Cookie", line)
	}
}

// cookieNames returns the names of the cookies of a request, but for the library's own.
func cookieNames(r *http.Request) (names []string) {
	for _, c := range r.Cookies() {
		if c.Name != consent.CookieName {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestRefusingReachesEveryCookieThatABrowserKeeps(t *testing.T) {
	t.Parallel()
	const host = "a.b.c.d.shop.localhost"
	kinds := []string{
		"Path=/", "Path=/; HttpOnly", "Path=/; Domain=shop.localhost", "Path=/; Domain=d.shop.localhost", "Path=/; Domain=" + host,
		"Path=/; Secure; Partitioned; SameSite=None", "Path=/; Secure; Partitioned; SameSite=None; Domain=shop.localhost",
	}
	var cookies []consent.Cookie
	var plants []string
	for i := range 8 * len(kinds) {
		name := fmt.Sprintf("tracker_%02d", i)
		cookies = append(cookies, consent.Cookie{Provider: "AdCo", Name: name, Category: consent.ThirdParty})
		plants = append(plants, name+"=1; "+kinds[i%len(kinds)])
	}
	cookies = append(cookies, consent.Cookie{Provider: "AdCo", Name: "shelf", Category: consent.ThirdParty, Path: "/shelf"},
		consent.Cookie{Provider: "Site", Name: "sessionid", Category: consent.Necessary})
	plants = append(plants, "shelf=1; Path=/shelf", "sessionid=1; Path=/")
	mw := touredSite(t, consent.Config{}, cookies...)

	for browser, open := range browsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			var planted, shelf []string
			var left [][]string
			walkTour(t, open, host+"/", func(w *tour) {
				w.HandleFunc("/{$}", func(rw http.ResponseWriter, r *http.Request) {
					sets(rw, plants...)
					w.page(`fetch("/refuse", {method: "POST"}).then(() => `+w.to(host+"/load")+`)`)(rw, r)
				})
				w.Handle("/refuse", mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					planted = cookieNames(r)
					assert.NoError(t, mw.Save(rw, r, consent.RefuseAll()))
				})))
				w.Handle("/load", mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					left = append(left, cookieNames(r))
					next := host + "/load"
					if len(cookieNames(r)) == 1 || len(left) == 100 {
						next = host + "/shelf/"
					}
					w.page(w.to(next))(rw, r)
				})))
				w.HandleFunc("/shelf/", func(rw http.ResponseWriter, r *http.Request) {
					shelf = cookieNames(r)
					w.page(w.to(host+"/done"))(rw, r)
				})
			})
			assert.Len(t, planted, len(plants)-1, "all but the one of another path")
			t.Logf("of %d cookies, %d were there after the refusal, and it took %d pages", len(planted), len(left[0]), len(left))
			assert.Less(t, len(left), 100)
			assert.Equal(t, []string{"sessionid"}, shelf, "what lies below another path went with the refusal")
		})
	}
}

// A payment is made at the site of a bank, which posts its answer to the shop.
func TestNothingIsInventedWhenABankPostsToTheShop(t *testing.T) {
	t.Parallel()
	for browser, open := range browsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			mw := touredSite(t, consent.Config{Regime: func(*http.Request) consent.Regime { return consent.OptOut }, ExpireUndecided: true},
				consent.Cookie{Provider: "Site", Name: "sessionid", Category: consent.Necessary},
				consent.Cookie{Provider: "Site", Name: "profile", Category: consent.FirstParty},
				consent.Cookie{Provider: "Plausible", Name: "plausible", Category: consent.Statistics})
			var sent, back, frame, end []string
			asked := map[string]bool{}
			tracking := func(next http.Handler) http.Handler {
				return mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					asked[r.URL.Path] = consent.FromContext(r.Context()).ShouldAsk()
					sets(rw, "profile=1; Path=/; SameSite=Lax", "sessionid=1; Path=/; SameSite=Lax")
					next.ServeHTTP(rw, r)
				}))
			}
			const shop, bank = "shop.localhost", "bank.localhost"
			walkTour(t, open, shop+"/", func(w *tour) {
				w.Handle("/{$}", tracking(w.page(`fetch("/answer", {method: "POST"}).then(() => `+w.to(bank+"/pay")+`)`)))
				w.Handle("/answer", mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					sent = cookieNames(r)
					assert.NoError(t, mw.Save(rw, r, consent.Accept(consent.Statistics)))
					sets(rw, "plausible=1; Path=/; SameSite=None; Secure")
				})))
				w.HandleFunc("/pay", w.page(fmt.Sprintf(
					`document.body.innerHTML += '<form method=post action=%q><iframe src=%q></iframe></form>';
					document.querySelector("iframe").onload = () => document.querySelector("form").submit()`, w.url(shop+"/paid"), w.url(shop+"/frame"))))
				w.Handle("/frame", tracking(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					frame = cookieNames(r)
					w.page("")(rw, r)
				})))
				w.Handle("/paid", tracking(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					back = append(cookieNames(r), r.Method)
					w.page(w.to(shop+"/end"))(rw, r)
				})))
				w.Handle("/end", mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					end = cookieNames(r)
					asked["/end"] = consent.FromContext(r.Context()).ShouldAsk()
					w.page(w.to(shop+"/done"))(rw, r)
				})))
			})
			assert.Equal(t, []string{"profile", "sessionid"}, sent, "what is presumed")
			assert.Equal(t, []string{"plausible", "POST"}, back, "the decision was held back, and what says SameSite=None was not")
			assert.NotContains(t, frame, "profile")
			assert.Equal(t, []string{"plausible", "sessionid"}, end, "nobody was tracked after a refusal, and no consent was taken back")
			assert.Equal(t, map[string]bool{"/": true, "/frame": false, "/paid": false, "/end": false}, asked)
		})
	}
}

// Browsers that keep a decision in a frame keep one for each site around it.
func TestNothingIsForgottenInAFrameThatBrowsersKnow(t *testing.T) {
	t.Parallel()
	for browser, open := range browsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			mw := touredSite(t, consent.Config{Framed: true}, consent.Cookie{Provider: "AdCo", Name: "ad_id", Category: consent.ThirdParty})
			decided := map[string]bool{}
			const shop, bank = "shop.localhost", "bank.localhost"
			walkTour(t, open, bank+"/", func(w *tour) {
				look := func(next http.Handler) http.Handler {
					return mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						decided[r.URL.Path] = consent.FromContext(r.Context()).Decided()
						next.ServeHTTP(rw, r)
					}))
				}
				w.HandleFunc("/{$}", w.page(fmt.Sprintf(`document.body.innerHTML += '<iframe src=%q></iframe>'; onmessage = () => `+w.to(shop+"/top"), w.url(shop+"/frame"))))
				w.Handle("/frame", look(w.page(`fetch("/answer", {method: "POST"}).then(() => `+w.to(shop+"/again")+`)`)))
				w.Handle("/answer", mw.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					assert.NoError(t, mw.Save(rw, r, consent.RefuseAll()))
				})))
				w.Handle("/again", look(w.page(`parent.postMessage("done", "*")`)))
				w.Handle("/top", look(w.page(w.to(shop+"/done"))))
			})
			assert.Equal(t, map[string]bool{"/frame": false, "/again": true, "/top": false}, decided)
		})
	}
}
