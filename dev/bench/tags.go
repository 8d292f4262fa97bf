package main

import (
	"crypto/tls"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/cookiecharter/consent/charter"
)

// A collector is in the place of Google: it serves the tag, and keeps what it is asked.
type collector struct {
	*httptest.Server

	mu    sync.Mutex
	asked []string
}

// hosts are those of Google that the collector answers for.
var hosts = []string{"www.googletagmanager.com", "www.google-analytics.com"}

func newCollector() *collector {
	c := new(collector)
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked = append(c.asked, strings.TrimSuffix(r.URL.Path+" "+r.FormValue("gcs"), " "))
		c.mu.Unlock()
		if r.URL.Path == "/gtag/js" {
			http.ServeFileFS(w, r, pages, "pages/tag.js")
		}
	}))
	c.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that a closed tab breaks off
	c.TLS = &tls.Config{}
	c.StartTLS()
	return c
}

// rules are a flag of Chromium's: Google's hosts are the collector, and all others nowhere.
func (c *collector) rules() string {
	var rules []string
	for _, host := range hosts {
		rules = append(rules, "MAP "+host+" "+c.Listener.Addr().String())
	}
	return strings.Join(append(rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"), ", ")
}

// take returns what was asked since the last time.
func (c *collector) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return asked
}

// Ways to put Google's tag into a page.
const (
	googleSource = "https://www.googletagmanager.com/gtag/js?id=G-BENCH"
	googleCalls  = `function gtag() { dataLayer.push(arguments); } gtag("js", new Date()); gtag("config", "G-BENCH");`
	googleDenied = `<script>window.dataLayer = window.dataLayer || []; ` +
		`(function () { dataLayer.push(arguments); })("consent", "default", {ad_storage: "denied", ad_user_data: "denied", ad_personalization: "denied", analytics_storage: "denied"});</script>` + "\n"
)

// gated is the tag as a page has it that waits for statistics, by the attributes of a banner.
func gated(attributes, source string) template.HTML {
	return template.HTML(fmt.Sprintf("<script type=\"text/plain\" %s async %s=%q></script>\n<script type=\"text/plain\" %[1]s>%[4]s</script>", attributes, source, googleSource, googleCalls))
}

// tagged returns the sites whose pages have Google's tag, each as its own documentation has
// it. What has no way of its own to say "denied" before the tag runs says it in the page.
func tagged(packages string) ([]site, error) {
	plain := template.HTML(fmt.Sprintf("<script>window.dataLayer = window.dataLayer || []; %s</script>\n<script async src=%q></script>\n", googleCalls, googleSource))
	list := []site{{Name: "no banner", handler: serve(packages, nil, func(*http.Request) parts { return parts{Head: plain} })}}
	// These sites declare no provider of Google's name.
	google := charter.Google().With(map[string][]string{"analytics_storage": {"statistics"}})
	own, err := ourSites(packages, charter.Config{Signals: []charter.Signal{google}}, gated(`data-consent="statistics"`, "data-src"))
	if err != nil {
		return nil, err
	}
	list = append(list, own...)
	built, err := builtFiles(packages, "c15t-google")
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		p := other.parts
		switch other.Name {
		case "vanilla-cookieconsent":
			p.Head = googleDenied + p.Head + gated(`data-category="statistics"`, "src")
		case "klaro":
			p.Head = googleDenied + p.Head + gated(`data-type="application/javascript" data-name="matomo"`, "data-src")
		case "tarteaucitronjs":
			p.Head += `<script>tarteaucitron.user.gtagUa = "G-BENCH"; tarteaucitron.job.push("gtag");</script>`
		case "orejime":
			p.Head = googleDenied + p.Head + template.HTML(fmt.Sprintf(`<template data-purpose="statistics"><script async src=%q></script><script>%s</script></template>`, googleSource, googleCalls))
		case "c15t":
			p.Head = template.HTML(strings.ReplaceAll(string(p.Head), "/c15t.", "/c15t-google."))
		}
		list = append(list, site{Name: other.Name, banner: other.banner, handler: serve(packages, built, func(*http.Request) parts { return p })})
	}
	return compressed(list), nil
}

// A tagged visit is one to a page with Google's tag.
type taggedVisit struct {
	visited
	Asked []string // what Google was asked before a click, in any visit
}

// tourTags visits each page with Google's tag, once in every round.
func tourTags(b *browser, google *collector, list []site, rounds int) ([]taggedVisit, error) {
	result := make([]taggedVisit, len(list))
	for i, s := range list {
		server := httptest.NewServer(s.handler)
		defer server.Close()
		v := &result[i]
		v.site = s
		google.take()
		for range rounds {
			if err := v.look(b, server.URL+untracked); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			v.Asked = append(v.Asked, google.take()...)
			if err := v.time(b, server.URL+untracked); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			google.take()
		}
		slices.Sort(v.Asked)
		v.Asked = slices.Compact(v.Asked)
	}
	return result, nil
}
