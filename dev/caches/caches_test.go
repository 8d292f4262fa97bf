// Package caches puts real caches in front of the middleware.
package caches

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/servertest"
)

// nginxServer keeps what nginx keeps by default, for a minute if the site does not say
// for how long.
const nginxServer = `server {
	listen %[1]s;
	location / {
		proxy_pass http://%[2]s;
		proxy_set_header Host $host;
		proxy_cache pages;
		proxy_cache_valid 200 1m;
		proxy_cache_revalidate on;
	}
}`

// apacheConf keeps what Apache keeps by default.
const apacheConf = `ServerRoot %[1]s
ServerName localhost
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
DefaultRuntimeDir %[1]s
Listen %[2]s
LoadModule mpm_event_module %[4]s/mod_mpm_event.so
LoadModule authz_core_module %[4]s/mod_authz_core.so
LoadModule proxy_module %[4]s/mod_proxy.so
LoadModule proxy_http_module %[4]s/mod_proxy_http.so
LoadModule cache_module %[4]s/mod_cache.so
LoadModule cache_disk_module %[4]s/mod_cache_disk.so
%[5]s
CacheRoot %[1]s/cache
CacheEnable disk /
ProxyPass / http://%[3]s/
`

// apacheModules is where Debian has them.
const apacheModules = "/usr/lib/apache2/modules"

// caches start a cache in front of a site, each by its own defaults.
var caches = map[string]func(t *testing.T, listen, site string){
	"nginx": func(t *testing.T, listen, site string) {
		servertest.Nginx(t, listen, fmt.Sprintf(nginxServer, listen, site))
	},
	"apache2": startApache,
	"varnishd": func(t *testing.T, listen, site string) {
		host, port, err := net.SplitHostPort(site)
		require.NoError(t, err)
		servertest.Varnish(t, listen, fmt.Sprintf("vcl 4.1;\nbackend default { .host = %q; .port = %q; }\n", host, port))
	},
}

func startApache(t *testing.T, listen, site string) {
	program, folder, user := servertest.Find(t, "apache2"), servertest.Folder(t), ""
	if os.Geteuid() == 0 { // as which no worker runs
		user = "User www-data\nGroup www-data"
	}
	kept := filepath.Join(folder, "cache")
	require.NoError(t, os.Mkdir(kept, 0o700))
	require.NoError(t, os.Chmod(kept, 0o777))
	config := filepath.Join(folder, "apache.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, apacheConf, folder, listen, site, apacheModules, user), 0o600))
	servertest.Run(t, exec.Command(program, "-X", "-f", config), listen)
}

// proxies start what stands in front of a site: a cache, or a proxy that keeps nothing.
var proxies = func() map[string]func(t *testing.T, listen, site string) {
	all := maps.Clone(caches)
	all["haproxy"] = func(t *testing.T, listen, site string) {
		servertest.HAProxy(t, listen, fmt.Sprintf(haproxyConf, listen, site))
	}
	return all
}()

// inFront returns the address of a cache in front of h, until the test ends.
func inFront(t *testing.T, cache string, h http.Handler) string {
	t.Helper()
	return inFrontAs(t, h, proxies[cache])
}

// inFrontAs is inFront for what starts in another way than by its defaults.
func inFrontAs(t *testing.T, h http.Handler, start func(t *testing.T, listen, site string)) string {
	t.Helper()
	site := httptest.NewServer(h)
	t.Cleanup(site.Close)
	listen := servertest.FreeAddress(t)
	start(t, listen, site.Listener.Addr().String())
	return listen
}

// pages serves /account, a page that is another one for each request and sets a
// cookie that needs consent, and /public, which sets none.
func pages(headers map[string]string) http.Handler {
	var n atomic.Int64
	page := func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, strings.ReplaceAll(value, "SOON", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)))
		}
		http.ServeContent(w, r, "page.html", time.Time{}, strings.NewReader(fmt.Sprintf("page %d", n.Add(1))))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/public", page)
	mux.HandleFunc("/account", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "_pk_id=1; Path=/")
		page(w, r)
	})
	return mux
}

// ask returns what a visitor is served.
func ask(t *testing.T, method, url string, header http.Header) (body string, response *http.Response) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	request.Header = header
	response, err = http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(b), response
}

// headers are what sites say about how long their pages may be kept.
var headers = map[string]map[string]string{
	"nothing":       {},
	"public":        {"Cache-Control": "public, max-age=60"},
	"s-maxage":      {"Cache-Control": "s-maxage=60"},
	"Expires":       {"Expires": "SOON"},
	"accelerated":   {"Cache-Control": "max-age=60", "X-Accel-Expires": "60"},
	"a validator":   {"Cache-Control": "max-age=1", "Etag": `"v1"`},
	"private by it": {"Cache-Control": "private"},
}

// isKept reports whether a cache keeps a page with these headers. Of one that says
// nothing, Apache would need a Last-Modified.
func isKept(cache, headers string) bool {
	return headers != "private by it" && (headers != "nothing" || cache != "apache2")
}

func TestNothingLeaksFromACacheInFront(t *testing.T) {
	text := consent.Text{language.English: "x"}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{Provider: "Matomo", Name: "_pk_id", Purpose: text, Category: consent.Statistics}),
		Keys:     [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
	})
	require.NoError(t, err)
	for cache := range caches {
		for name, headers := range headers {
			t.Run(cache+"/"+name, func(t *testing.T) {
				t.Parallel()
				bare, wrapped := "http://"+inFront(t, cache, pages(headers)), "http://"+inFront(t, cache, mw.Wrap(pages(headers)))
				for what, site := range map[string]string{"bare": bare, "wrapped": wrapped} {
					if what == "bare" && cache == "apache2" {
						continue // it keeps a response with Set-Cookie, and gives the cookie to strangers
					}
					// A HEAD comes first, which nginx asks the site for as a GET.
					_, response := ask(t, "HEAD", site+"/account", nil)
					assert.Equal(t, what == "bare", response.Header.Get("Set-Cookie") != "", what)
					first, _ := ask(t, "GET", site+"/account", nil)
					second, _ := ask(t, "GET", site+"/account", nil)
					assert.NotEqual(t, first, second, "%s: a stranger is served another visitor's page", what)
					_, response = ask(t, "GET", site+"/account", http.Header{"If-None-Match": {`"v1"`}})
					if name == "a validator" {
						// nginx asks the site for the whole page, and answers with it.
						assert.Equal(t, cache != "nginx", response.StatusCode == http.StatusNotModified, what)
						time.Sleep(1100 * time.Millisecond) // for what was kept to be stale
					}
					third, _ := ask(t, "GET", site+"/account", nil)
					assert.NotContains(t, []string{first, second}, third, what)

					once, _ := ask(t, "GET", site+"/public", nil)
					again, _ := ask(t, "GET", site+"/public", nil)
					assert.Equal(t, isKept(cache, name), once == again, "%s: what sets no cookie is kept as before", what)
				}
			})
		}
	}
}

func TestNothingLeaksThatAPageShowsOfItsVisitor(t *testing.T) {
	text := consent.Text{language.English: "x"}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "Vimeo", Name: "vuid", Purpose: text, Category: consent.ThirdParty, Origins: []string{"https://player.vimeo.com"},
		}),
		Keys:   [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		Failed: func(*http.Request, error) {}, // that the pages say "public"
	})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw})
	require.NoError(t, err)
	shows := map[string]func(*http.Request) string{
		"/banner": func(r *http.Request) string { return string(site.Banner(r)) },
		"/placeholder": func(r *http.Request) string {
			return string(site.Placeholder(r, consent.ThirdParty, "Vimeo", "the film"))
		},
		"/origins": func(r *http.Request) string { return strings.Join(consent.FromContext(r.Context()).Origins(), " ") },
	}
	page := func(headers map[string]string) http.Handler {
		app := pages(headers)
		return mw.Wrap(site.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if show := shows[r.URL.Path]; show != nil {
				w.Header().Set("X-Shows", show(r)) // what a template asks for, before the page is sent
				r.URL.Path = "/public"
			}
			app.ServeHTTP(w, r)
		})))
	}
	for cache := range caches {
		for name, headers := range headers {
			t.Run(cache+"/"+name, func(t *testing.T) {
				t.Parallel()
				front := "http://" + inFront(t, cache, page(headers))
				response, err := http.DefaultTransport.RoundTrip(postForm(t, front+"/cookies/", "choice=accept"))
				require.NoError(t, err)
				response.Body.Close()
				require.Len(t, response.Cookies(), 1)
				decided := http.Header{"Cookie": {response.Cookies()[0].Name + "=" + response.Cookies()[0].Value}}
				for path := range shows {
					ask(t, "HEAD", front+path, decided.Clone()) // which nginx asks the site for as a GET
					first, of := ask(t, "GET", front+path, decided.Clone())
					second, other := ask(t, "GET", front+path, nil)
					assert.NotEqual(t, first, second, "%s: a stranger is served another visitor's page", path)
					assert.NotEqual(t, of.Header.Get("X-Shows"), other.Header.Get("X-Shows"), "%s: %v", path, other.Header)
					_, response := ask(t, "GET", front+path, http.Header{"If-None-Match": {`"v1"`}})
					assert.NotContains(t, response.Header.Get("Cache-Control"), "public", path)
					if name == "a validator" {
						time.Sleep(1100 * time.Millisecond) // for what was kept to be stale
					}
					third, _ := ask(t, "GET", front+path, decided.Clone())
					assert.NotContains(t, []string{first, second}, third, path)
				}
				once, _ := ask(t, "GET", front+"/public", nil)
				again, _ := ask(t, "GET", front+"/public", nil)
				assert.Equal(t, isKept(cache, name), once == again, "what shows nothing of its visitor is kept as before")
				if name == "public" {
					_, response := ask(t, "GET", front+"/cookies/style.css", nil)
					assert.Contains(t, response.Header.Get("Cache-Control"), "public")
					_, response = ask(t, "GET", front+"/cookies/script.js", nil)
					assert.Contains(t, response.Header.Get("Cache-Control"), "private", "it brings the banner of this visitor")
				}
			})
		}
	}
}

func postForm(t *testing.T, url, form string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(form))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

func TestNothingLeaksFromACacheInFrontOfTheProxy(t *testing.T) {
	program := filepath.Join(t.TempDir(), "consentproxy")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../../proxy/cmd/consentproxy"
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	for cache := range caches {
		t.Run(cache, func(t *testing.T) {
			t.Parallel()
			site := httptest.NewServer(pages(map[string]string{"Cache-Control": "public, max-age=60"}))
			t.Cleanup(site.Close)
			listen, entrance := servertest.FreeAddress(t), servertest.FreeAddress(t)
			servertest.Run(t, exec.Command(program, "-to", site.URL, "-addr", listen, "-inject", "-insecure"), listen)
			caches[cache](t, entrance, listen)
			front := "http://" + entrance

			first, response := ask(t, "GET", front+"/account", nil)
			assert.Empty(t, response.Header["Set-Cookie"])
			second, _ := ask(t, "GET", front+"/account", nil)
			assert.NotEqual(t, first, second, "a stranger is served another visitor's page")
			once, _ := ask(t, "GET", front+"/public", nil)
			again, _ := ask(t, "GET", front+"/public", nil)
			assert.Equal(t, once, again, "what sets no cookie is kept as before")

			response, err := http.DefaultTransport.RoundTrip(postForm(t, front+"/cookies/", "choice=refuse"))
			require.NoError(t, err)
			response.Body.Close()
			require.Len(t, response.Cookies(), 1)
			decided := http.Header{"Cookie": {response.Cookies()[0].Name + "=" + response.Cookies()[0].Value}}
			for _, path := range []string{"/cookies/", "/cookies/banner.js?back=%2F"} {
				own, _ := ask(t, "GET", front+path, decided.Clone())
				others, _ := ask(t, "GET", front+path, nil)
				assert.NotEqual(t, own, others, path)
			}
		})
	}
}
