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
)

// nginxConf keeps what nginx keeps by default, for a minute if the site does not say
// for how long.
const nginxConf = `daemon off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/temp;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	proxy_cache_path %[1]s/cache keys_zone=pages:1m;
	server {
		listen %[2]s;
		location / {
			proxy_pass http://%[3]s;
			proxy_set_header Host $host;
			proxy_cache pages;
			proxy_cache_valid 200 1m;
			proxy_cache_revalidate on;
		}
	}
}
`

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
var caches = map[string]func(dir, listen, site string) (*exec.Cmd, error){
	"nginx": func(dir, listen, site string) (*exec.Cmd, error) {
		conf := filepath.Join(dir, "nginx.conf")
		err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, listen, site), 0o600)
		return exec.Command("nginx", "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", conf), err
	},
	"apache2": func(dir, listen, site string) (*exec.Cmd, error) {
		user := ""
		if os.Geteuid() == 0 { // as which no worker runs
			user = "User www-data\nGroup www-data"
		}
		if err := os.Mkdir(filepath.Join(dir, "cache"), 0o700); err != nil {
			return nil, err
		}
		if err := os.Chmod(filepath.Join(dir, "cache"), 0o777); err != nil {
			return nil, err
		}
		conf := filepath.Join(dir, "apache.conf")
		err := os.WriteFile(conf, fmt.Appendf(nil, apacheConf, dir, listen, site, apacheModules, user), 0o600)
		return exec.Command("apache2", "-X", "-f", conf), err
	},
	"varnishd": func(dir, listen, site string) (*exec.Cmd, error) {
		return exec.Command("varnishd", "-F", "-j", "none", "-n", dir, "-a", listen, "-b", site, "-s", "malloc,16m"), nil
	},
}

// proxies start what stands in front of a site: a cache, or a proxy that keeps nothing.
var proxies = func() map[string]func(dir, listen, site string) (*exec.Cmd, error) {
	all := maps.Clone(caches)
	all["haproxy"] = func(dir, listen, site string) (*exec.Cmd, error) {
		conf := filepath.Join(dir, "haproxy.cfg")
		err := os.WriteFile(conf, fmt.Appendf(nil, haproxyConf, listen, site), 0o600)
		return exec.Command("haproxy", "-f", conf), err
	}
	return all
}()

// inFront returns the address of a cache in front of h, until the test ends.
func inFront(t *testing.T, cache string, h http.Handler) string {
	t.Helper()
	site := httptest.NewServer(h)
	t.Cleanup(site.Close)
	return inFrontOf(t, cache, site.Listener.Addr().String())
}

// inFrontOf returns the address of a cache in front of the site at an address, until
// the test ends.
func inFrontOf(t *testing.T, cache, site string) string {
	t.Helper()
	return startInFront(t, cache, site, proxies[cache])
}

// inFrontAs is inFront for a program that starts in another way than by its defaults.
func inFrontAs(t *testing.T, program string, h http.Handler, start func(dir, listen, site string) (*exec.Cmd, error)) string {
	t.Helper()
	site := httptest.NewServer(h)
	t.Cleanup(site.Close)
	return startInFront(t, program, site.Listener.Addr().String(), start)
}

func startInFront(t *testing.T, program, site string, start func(dir, listen, site string) (*exec.Cmd, error)) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	listen := freeAddress(t)
	dir, err := os.MkdirTemp("", "cache") // a short path, which is part of a socket's name
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o777)) // for the workers of nginx, which are another user's
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd, err := start(dir, listen, site)
	require.NoError(t, err)
	serve(t, cmd, listen)
	return listen
}

func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer free.Close()
	return free.Addr().String()
}

// serve runs a server at an address until the test ends.
func serve(t *testing.T, cmd *exec.Cmd, listen string) {
	t.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + listen + "/ready")
		if err == nil {
			response.Body.Close()
		}
		return err == nil && response.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond, "%s does not serve: %s", cmd.Path, &said)
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
	mux.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
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
	program := filepath.Join(t.TempDir(), "proxy")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../../proxy"
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	for cache := range caches {
		t.Run(cache, func(t *testing.T) {
			t.Parallel()
			site := httptest.NewServer(pages(map[string]string{"Cache-Control": "public, max-age=60"}))
			t.Cleanup(site.Close)
			listen := freeAddress(t)
			serve(t, exec.Command(program, "-to", site.URL, "-addr", listen, "-inject", "-insecure"), listen)
			front := "http://" + inFrontOf(t, cache, listen)

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
