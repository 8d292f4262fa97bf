package consent

import (
	"context"
	"maps"
	"net/http"
	"sync/atomic"

	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/visitor"
	"github.com/cookiecharter/consent/internal/withdrawal"
	"github.com/cookiecharter/consent/internal/writer"
)

// A visit is one request on its way through a Middleware. It is the context of
// the request that the handler gets, and holds that request and all that works on
// the response: a request so takes one allocation in place of five.
type visit struct {
	context.Context
	request http.Request
	filter  filter.Filter // of the response to its Visitor
	writer  writer.Writer
	account atomic.Pointer[remembered] // nil until somebody asks
}

func (v *visit) visitor() *visitor.Visitor { return &v.filter.Visitor }

func (v *visit) middleware() *Middleware { return v.visitor().Site().Owner.(*Middleware) }

type visitKey struct{}

// Value makes the visit findable in its own context, and for package charter the
// header of its response.
func (v *visit) Value(key any) any {
	switch key := key.(type) {
	case visitKey:
		return v
	case visitor.HeaderKey:
		return v.writer.Header()
	case account.Key:
		if key.Owner == v.visitor().Site().Owner {
			return v
		}
	}
	return v.Context.Value(key)
}

// visitIn returns the innermost visit that a context came through; nil if there is none.
func visitIn(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// around returns the visit of the next middleware outside; nil if there is none.
func (v *visit) around() *visit { return visitIn(v.Context) }

// of returns the first of v and of the visits around it that is m's; nil if none is.
func (v *visit) of(m *Middleware) *visit {
	for v != nil && v.middleware() != m {
		v = v.around()
	}
	return v
}

// hideRefused takes out of the request of the handler what the visitor does not
// allow. The visit itself goes by the cookies as they came.
func (v *visit) hideRefused() {
	hide := func(name string) bool {
		_, verdict := v.visitor().Verdict(name)
		return verdict.Denied()
	}
	var kept []string
	changed := false
	for _, header := range v.request.Header["Cookie"] {
		rest := withdrawal.Without(header, hide)
		changed = changed || rest != header
		if rest != "" {
			kept = append(kept, rest)
		}
	}
	if !changed {
		return
	}
	v.request.Header = maps.Clone(v.request.Header) // which the request outside shares
	if len(kept) == 0 {
		delete(v.request.Header, "Cookie")
	} else {
		v.request.Header["Cookie"] = kept
	}
}

// handBack leaves in the request outside what a handler has left in its own:
// net/http removes the files of a form, and loggers look at the pattern, at a path
// that was rewritten or at the address that a proxy names.
func (v *visit) handBack(outside *http.Request) {
	inside := &v.request
	// Others may be reading the request: only a handler that has changed it makes
	// this write to it.
	if outside.Pattern != inside.Pattern {
		outside.Pattern = inside.Pattern
	}
	if inside.Form != nil || inside.MultipartForm != nil {
		outside.Form, outside.PostForm, outside.MultipartForm = inside.Form, inside.PostForm, inside.MultipartForm
	}
	if outside.URL != inside.URL {
		outside.URL = inside.URL
	}
	// For each part of a body net/http looks anew whether this is a HEAD, which has
	// none.
	if outside.Method != inside.Method && outside.Method != http.MethodHead && inside.Method != http.MethodHead {
		outside.Method = inside.Method
	}
	if outside.RequestURI != inside.RequestURI {
		outside.RequestURI = inside.RequestURI
	}
	if outside.Host != inside.Host {
		outside.Host = inside.Host
	}
	if outside.RemoteAddr != inside.RemoteAddr {
		outside.RemoteAddr = inside.RemoteAddr
	}
}
