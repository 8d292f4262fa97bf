package browse

import (
	"context"
	_ "embed"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

//go:embed look.js
var look string

//go:embed tags.js
var tags string

// kinds are those of the lists that look.js returns, in their order.
var kinds = []seen.Kind{seen.LocalStorage, seen.SessionStorage, seen.IndexedDB, seen.CacheStorage, seen.ServiceWorker}

// What a frame keeps, as look.js returns it.
type kept struct {
	Origin                                     string
	Local, Session, Databases, Caches, Workers []string
	Links, Preconnects, Prerenders, Held       []string
}

// Look notes what lies in the browser now, and returns the links of the page. Where nothing
// is allowed, silent says so: then no tag may have been told that something is.
func (v *Visitor) Look(ctx context.Context, silent bool) (links []string, err error) {
	if err := v.lookAtJar(ctx); err != nil {
		return nil, err
	}
	for _, f := range v.frames() {
		k, err := v.lookAt(ctx, f)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue // a frame that went away meanwhile, or may keep nothing
		}
		v.note(f, k)
		if f.top {
			links = k.Links
		}
	}
	return links, v.lookAtTags(ctx, silent)
}

// A frame that is shown, of one origin.
type frame struct {
	session *chrome.Session
	id      cdp.FrameID
	address address
	top     bool
}

// frames returns the frames that are shown, the page first, one of each address.
func (v *Visitor) frames() []frame {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []frame
	for s, t := range v.tabs {
		if t.worker != "" {
			continue
		}
		for id, url := range t.frames {
			list = append(list, frame{s, id, parse(url), s == v.main && id == t.main})
		}
	}
	slices.SortFunc(list, func(a, b frame) int {
		switch {
		case a.top != b.top && a.top:
			return -1
		case a.top != b.top:
			return 1
		}
		return strings.Compare(a.address.whole, b.address.whole)
	})
	list = slices.CompactFunc(list, func(a, b frame) bool { return a.address.whole == b.address.whole && !a.top })
	const most = 30 // a page may hold as many frames as it likes
	return list[:min(len(list), most)]
}

func (v *Visitor) lookAt(ctx context.Context, f frame) (k kept, err error) {
	world, err := chrome.Call(ctx, f.session, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: f.id, WorldName: v.token})
	if err != nil {
		return k, err
	}
	return k, v.eval(ctx, f.session, world.ExecutionContextID, look, &k)
}

func (v *Visitor) note(f frame, k kept) {
	v.mu.Lock()
	defer v.mu.Unlock()
	from := parse(k.Origin)
	p := place{page: v.page}
	if !f.top {
		p.frame = f.address.whole
	}
	if from.host != "" {
		third, cloaked := v.options.Site.Third(from.host)
		for i, names := range [][]string{k.Local, k.Session, k.Databases, k.Caches, k.Workers} {
			for _, name := range names {
				if kinds[i] == seen.ServiceWorker {
					name = scriptPath(k.Origin, name)
				}
				v.record.add(seen.Event{Act: seen.Kept, Stage: v.stage, Kind: kinds[i], Name: short(name), Host: from.host,
					Third: third, Cloaked: cloaked, Page: p.page, Frame: p.frame})
			}
		}
	}
	if third, _ := v.options.Site.Third(from.host); !third {
		for _, name := range k.Held {
			v.record.add(seen.Event{Act: seen.Held, Stage: v.stage, Name: short(name), Page: p.page, Frame: p.frame})
		}
	}
	by := seen.Cause{Script: f.address.whole}
	for _, url := range k.Preconnects {
		v.contact(&request{place: p, transport: seen.Preconnect, initiator: by}, parse(url))
	}
	for _, url := range k.Prerenders {
		v.contact(&request{place: p, transport: seen.Prefetch, initiator: by}, parse(url))
	}
}

// told is what tags.js returns of one tag.
type toldTag struct {
	Name, First string
	Late        bool
	Granted     []string
}

// lookAtTags notes what tags of others were told of consent, if it cannot be true.
func (v *Visitor) lookAtTags(ctx context.Context, silent bool) error {
	var list []toldTag
	if err := v.Eval(ctx, tags, &list); err != nil {
		return ctx.Err() // a page that breaks its own globals tells nothing
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, t := range list {
		e := seen.Event{Act: seen.Signalled, Stage: v.stage, Name: t.Name, Page: v.page}
		if t.Late {
			e.Reason = "the tag was started before it was told the default of consent"
			v.record.add(e)
		}
		if silent && len(t.Granted) > 0 {
			e.Reason = "the tag was told that " + short(strings.Join(t.Granted, ", ")) + " is granted, and nothing is"
			v.record.add(e)
		}
	}
	return nil
}
