package sites

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"html/template"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// dot is an image of one transparent pixel.
const dot = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// start serves what text says until cleanup's function is called.
func start(cleanup func(func()), path, text string) (*Site, error) {
	s := &Site{Name: nameOf(path)}
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		return nil, err
	}
	handler, err := s.build(path, text, port)
	if err != nil {
		server.Listener.Close()
		return nil, err
	}
	server.Config.Handler = handler
	server.Start()
	cleanup(func() {
		server.CloseClientConnections() // those of a browser that waits for more
		server.Close()
	})
	return s, nil
}

func (s *Site) build(path, text, port string) (http.Handler, error) {
	f, err := read(path, text, port)
	if err != nil {
		return nil, err
	}
	s.URL = "http://shop.localhost:" + port + "/"
	s.Registry, s.Setup, s.Expected, s.Proof = f.registry, f.setup, f.expected, f.proof
	if f.byCountry {
		s.OptOut = map[string]string{"CF-IPCountry": "US"}
	}
	var site *charter.Charter
	wrap := func(h http.Handler) http.Handler { return h }
	if f.plain {
		s.Plain, s.Accept, s.Refuse = true, "#accept", "#refuse"
		if f.hasPlainWithdraw {
			s.Withdraw = "#withdraw"
		}
	} else if site, wrap, err = withCharter(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}

	own, others := http.NewServeMux(), http.NewServeMux()
	for _, r := range f.routes {
		pattern := r.host + r.path
		if strings.HasSuffix(pattern, "/") {
			pattern += "{$}" // the path alone
		}
		mux := others
		if r.host == "shop.localhost" {
			mux = own
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, request *http.Request) {
			if err := r.serve(w, request, site); err != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.mistakes = append(s.mistakes, err)
			}
		})
	}
	wrapped := wrap(own)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.Host, ":")
		s.record(r, host)
		if host != "shop.localhost" {
			others.ServeHTTP(w, r)
			return
		}
		p := &proxy{ResponseWriter: w}
		wrapped.ServeHTTP(p, r.WithContext(context.WithValue(r.Context(), proxyKey{}, p)))
	}), nil
}

func withCharter(f *file) (*charter.Charter, func(http.Handler) http.Handler, error) {
	key := make([]byte, 32)
	rand.Read(key)
	config := consent.Config{Registry: f.registry, Keys: [][]byte{key}, Insecure: true}
	if f.byCountry {
		config.Regime = consent.ByCountry("CF-IPCountry", map[string]consent.Regime{"US": consent.OptOut})
	}
	mw, err := consent.NewMiddleware(config)
	if err != nil {
		return nil, nil, err
	}
	var signals []charter.Signal
	if f.signalsOfGoogle {
		signals = append(signals, charter.Google())
	}
	site, err := charter.New(charter.Config{Middleware: mw, Name: "The shop", Signals: signals, Failed: func(*http.Request, error) {}})
	if err != nil {
		return nil, nil, err
	}
	return site, func(h http.Handler) http.Handler { return mw.Wrap(site.Wrap(h)) }, nil
}

func (s *Site) record(r *http.Request, host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{
		Method: r.Method, Host: host, Path: r.URL.Path, Header: r.Header.Clone(),
	})
}

// functions are what the templates of a route know.
func functions(r *http.Request, site *charter.Charter) texttemplate.FuncMap {
	prefs := func() consent.Preferences { return consent.FromContext(r.Context()) }
	return texttemplate.FuncMap{
		"head":   func() template.HTML { return site.Head(r) + site.Script(r) },
		"banner": func() template.HTML { return site.Banner(r) },
		"link":   func() template.HTML { return site.Link(r) },
		"embed": func(category consent.Category, provider, content string) template.HTML {
			return site.Embed(r, charter.Embed{Category: category, Provider: provider, Content: template.HTML(content)})
		},
		"allows":  func(category consent.Category) bool { return prefs().Allows(category) },
		"decided": func() bool { return prefs().Decided() },
		"header":  func(name string) string { return r.Header.Get(name) },
		"cookie": func(name string) string {
			cookie, err := r.Cookie(name)
			if err != nil {
				return ""
			}
			return cookie.Value
		},
		"random": func() string {
			var b [8]byte
			rand.Read(b[:])
			return hex.EncodeToString(b[:])
		},
	}
}

func (r route) serve(w http.ResponseWriter, request *http.Request, site *charter.Charter) error {
	h, body, err := r.execute(request, site)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return err
	}
	select {
	case <-time.After(h.delay):
	case <-request.Context().Done():
		return nil
	}
	if p, ok := request.Context().Value(proxyKey{}).(*proxy); ok {
		p.add, p.hint = h.proxy, h.hint
	} else {
		for name, values := range h.proxy { // no middleware stands between
			h.header[name] = append(h.header[name], values...)
		}
	}
	for name, values := range h.header {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", contentType(r.path))
	}
	w.WriteHeader(h.status)
	if request.Method != http.MethodHead && h.status != http.StatusNotModified && h.status != http.StatusNoContent {
		w.Write(body)
	}
	return nil
}

func (r route) execute(request *http.Request, site *charter.Charter) (head, []byte, error) {
	bound := functions(request, site)
	run := func(t *texttemplate.Template) ([]byte, error) {
		copied, err := t.Clone()
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err = copied.Funcs(bound).Execute(&out, nil)
		return out.Bytes(), err
	}
	body, err := run(r.body)
	if err != nil {
		return head{}, nil, err
	}
	fields, err := run(r.head)
	if err != nil {
		return head{}, nil, err
	}
	h, err := parseHead(fields)
	body = body[r.padding:]
	if len(bytes.TrimSpace(body)) == 0 && path.Ext(r.path) == ".gif" {
		body = []byte(dot)
	}
	return h, body, err
}

func contentType(file string) string {
	if path.Ext(file) == "" {
		return "text/html; charset=utf-8"
	}
	if found := mime.TypeByExtension(path.Ext(file)); found != "" {
		return found
	}
	return "application/octet-stream"
}

// A proxy is what stands in front of the site: it adds to heads that have left the
// middleware.
type proxy struct {
	http.ResponseWriter
	add, hint http.Header
	left      bool
}

// proxyKey is that of a request's proxy in its context: a middleware's writer hides it.
type proxyKey struct{}

func (p *proxy) WriteHeader(status int) {
	if !p.left && status >= 200 {
		p.left = true
		p.leave()
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *proxy) Write(b []byte) (int, error) {
	if !p.left {
		p.WriteHeader(http.StatusOK)
	}
	return p.ResponseWriter.Write(b)
}

// leave sends the early head, and adds to the other one.
func (p *proxy) leave() {
	header := p.Header()
	if len(p.hint) > 0 {
		whole := header.Clone()
		clear(header)
		for name, values := range p.hint {
			header[name] = values
		}
		p.ResponseWriter.WriteHeader(http.StatusEarlyHints)
		clear(header)
		for name, values := range whole {
			header[name] = values
		}
	}
	for name, values := range p.add {
		header[name] = append(header[name], values...)
	}
}
