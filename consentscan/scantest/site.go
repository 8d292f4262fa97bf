package scantest

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/account"
)

// A site is a handler that is served until the test ends.
type site struct {
	address string
	base    *url.URL
	flags   []string
	secure  bool
	own     []string // names of the cookies that keep the decision
}

// serve has the browser find handler at address, and no other host at all.
func serve(t testing.TB, handler http.Handler, address string) (*site, error) {
	base, err := url.Parse(cmp.Or(address, "http://localhost"))
	switch {
	case err != nil:
		return nil, err
	case base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "":
		return nil, fmt.Errorf("%q has no http or https, or no host", address)
	case base.Path != "" && base.Path != "/":
		return nil, fmt.Errorf("%q has a path: name it in Pages", address)
	}
	server := httptest.NewUnstartedServer(handler)
	secure := base.Scheme == "https"
	if server.EnableHTTP2 = true; secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		return nil, err
	}
	if base.Hostname() == "localhost" {
		base.Host = net.JoinHostPort("localhost", port) // Chromium maps no such name
	}
	base.Path = "/"
	rules := fmt.Sprintf("MAP %s 127.0.0.1:%s, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", base.Hostname(), port)
	return &site{address: base.String(), base: base, flags: []string{"--host-resolver-rules=" + rules}, secure: secure}, nil
}

// states signs the decision of each state by the site's own middleware.
func (s *site) states(options Options) (states []scan.State, err error) {
	given := options.States
	if len(given) == 0 {
		given = States(options.Middleware.Registry())
	}
	own := options.Middleware.Cookie().Name
	if s.own = append(s.own, own, account.Name(own)); options.Middleware.FormerCookieName() != "" {
		s.own = append(s.own, options.Middleware.FormerCookieName())
	}
	var mistakes []error
	known := make(map[string]bool)
	for i, state := range given {
		name := cmp.Or(state.Name, fmt.Sprintf("state %d", i))
		if known[name] {
			mistakes = append(mistakes, fmt.Errorf("%d: two are named %q", i, name))
		}
		known[name] = true
		signed, err := s.sign(options.Middleware, name, state)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", name, err))
			continue
		}
		states = append(states, signed)
	}
	return states, errors.Join(mistakes...)
}

func (s *site) sign(mw *consent.Middleware, name string, state State) (signed scan.State, err error) {
	signed = scan.State{Headers: state.Header}
	signed.Stage = seen.Stage{Name: name, Answered: state.Answered, Choice: state.Choice, GPC: state.GPC}
	var choice *consent.Choice
	if state.Answered {
		choice = &state.Choice
	}
	if signed.Cookie, err = s.decide(mw, state, choice, &signed.Stage); err != nil || state.Then == nil {
		return signed, err
	}
	then := scan.State{Stage: seen.Stage{Name: name + ", then withdrawn", Answered: true, Choice: *state.Then, Earlier: name, GPC: state.GPC}}
	then.Cookie, err = s.decide(mw, state, state.Then, &then.Stage)
	signed.Then = &then
	return signed, err
}

// decide saves a choice, if there is one, through the middleware, and notes in stage under
// which law, and whether it allows nothing.
func (s *site) decide(mw *consent.Middleware, state State, choice *consent.Choice, stage *seen.Stage) (*network.CookieParam, error) {
	request := httptest.NewRequest(http.MethodGet, s.address, nil)
	for field, value := range state.Header {
		request.Header.Set(field, value)
	}
	if state.GPC {
		request.Header.Set("Sec-GPC", "1")
	}
	var err error
	answer := httptest.NewRecorder()
	mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if choice != nil {
			err = mw.Save(w, r, *choice)
		}
		prefs := consent.FromContext(r.Context())
		stage.Regime = prefs.Regime()
		stage.Nothing = !slices.ContainsFunc(mw.Registry().Cookies(), func(c consent.Cookie) bool {
			return c.NeedsConsent() && prefs.AllowsProvider(c.Category, c.Provider)
		})
	})).ServeHTTP(answer, request)
	if err != nil || choice == nil {
		return nil, err
	}
	for _, c := range answer.Result().Cookies() {
		if c.Name == mw.Cookie().Name {
			return parameter(c, s.address), nil
		}
	}
	return nil, errors.New("the middleware set no cookie with the decision")
}

func parameter(c *http.Cookie, address string) *network.CookieParam {
	p := &network.CookieParam{Name: c.Name, Value: c.Value, URL: address, Path: c.Path, Secure: c.Secure, HTTPOnly: c.HttpOnly}
	if c.Domain != "" {
		p.Domain = "." + strings.TrimPrefix(c.Domain, ".")
	}
	if !c.Expires.IsZero() {
		p.Expires = cdp.TimeSinceEpoch(c.Expires.Unix())
	} else if c.MaxAge > 0 {
		p.Expires = cdp.TimeSinceEpoch(time.Now().Unix() + int64(c.MaxAge))
	}
	switch c.SameSite {
	case http.SameSiteLaxMode:
		p.SameSite = network.CookieSameSiteLax
	case http.SameSiteStrictMode:
		p.SameSite = network.CookieSameSiteStrict
	case http.SameSiteNoneMode:
		p.SameSite = network.CookieSameSiteNone
	}
	return p
}
