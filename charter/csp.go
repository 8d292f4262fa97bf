package charter

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/visitor"
)

// policies are the Content-Security-Policies of a response, as far as its header says so
// by now. known is false if there is no telling.
func policies(r *http.Request) (all []string, known bool) {
	header, known := r.Context().Value(visitor.HeaderKey{}).(http.Header)
	for _, line := range header.Values("Content-Security-Policy") {
		all = append(all, strings.Split(line, ",")...) // RFC 9110 section 5.3
	}
	return all, known
}

// sources returns the sources of the first of some directives that a policy has. has is
// false if it has none of them, and so allows everything.
func sources(policy string, directives ...string) (all []string, has bool) {
	given := make(map[string][]string)
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if _, before := given[name]; !before { // of two, the first counts (CSP Level 3, section 2.2.1)
			given[name] = words[1:]
		}
	}
	for _, name := range directives {
		if all, has := given[name]; has {
			return all, true
		}
	}
	return nil, false
}

// allowsStyle reports whether a policy lets a page have an inline style sheet with this
// nonce and hash (CSP Level 3, section 6.7.3.3).
func allowsStyle(policy, nonce, hash string) bool {
	all, has := sources(policy, "style-src-elem", "style-src", "default-src")
	return !has || allowsInline(all, nonce, hash)
}

// allowsScript reports the same of an inline script.
func allowsScript(policy, nonce, hash string) bool {
	all, has := sources(policy, "script-src-elem", "script-src", "default-src")
	return !has || allowsInline(all, nonce, hash)
}

func allowsInline(all []string, nonce, hash string) bool {
	if nonce != "" && slices.Contains(all, "'nonce-"+nonce+"'") || slices.Contains(all, hash) {
		return true
	}
	isStrict := func(source string) bool {
		lower := strings.ToLower(source)
		return strings.HasPrefix(lower, "'nonce-") || strings.HasPrefix(lower, "'sha") || lower == "'strict-dynamic'"
	}
	return slices.Contains(all, "'unsafe-inline'") && !slices.ContainsFunc(all, isStrict)
}

// allowsFetch reports whether a policy lets a page's scripts talk to its own site.
func allowsFetch(policy string) bool {
	all, has := sources(policy, "connect-src", "default-src")
	return !has || slices.Contains(all, "'self'") || slices.Contains(all, "*")
}
