package backend

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Target is one site behind the proxy, and the requests that are for it.
type Target struct {
	Host string   // of the request, without a port; "" for any
	Path string   // such as "/shop", for requests to it and below it; "" for any
	URL  *url.URL // where the site is: see [ParseTarget]. Required
}

// ParseTarget reads the URL of a site: http://, https:// or, for HTTP/2 without TLS, h2c://.
// It has no path: links, redirects and cookies of a site below a path would not lead back
// through the proxy.
func ParseTarget(to string) (*url.URL, error) {
	if to == "" {
		return nil, errors.New("names no site, such as http://localhost:8000")
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c" || u.Hostname() == "" {
		return nil, errors.New("is not the URL of a site, such as http://localhost:8000")
	}
	if u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("holds more than scheme, host and port, such as http://localhost:8000")
	}
	return u, nil
}

// scheme is what a transport knows: h2c is a version of HTTP, and its scheme is http.
func (t Target) scheme() string {
	if t.URL.Scheme == "https" {
		return "https"
	}
	return "http"
}

// inOrder returns targets so that the first that fits a request is the one for it.
func inOrder(targets []Target) []Target {
	return slices.SortedStableFunc(slices.Values(targets), func(a, b Target) int {
		byHost := cmp.Compare(min(len(b.Host), 1), min(len(a.Host), 1))
		return cmp.Or(byHost, cmp.Compare(len(b.Path), len(a.Path)))
	})
}

// find returns the index of the first target that fits a request, -1 if none does.
func find(targets []Target, r *http.Request) int {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(host, ".") // the root of the DNS, which may be written
	return slices.IndexFunc(targets, func(t Target) bool {
		return (t.Host == "" || strings.EqualFold(t.Host, host)) && isBelow(r.URL.Path, t.Path)
	})
}

func isBelow(path, of string) bool {
	rest, below := strings.CutPrefix(path, strings.TrimSuffix(of, "/"))
	return below && (rest == "" || rest[0] == '/')
}
