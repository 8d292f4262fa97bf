package browse

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/network"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// jar returns the cookies that the browser holds.
func (v *Visitor) jar(ctx context.Context) ([]*network.Cookie, error) {
	var held struct {
		Cookies []*network.Cookie `json:"cookies"`
	}
	err := v.browser.Call(ctx, "Storage.getCookies", map[string]any{"browserContextId": v.context}, &held)
	return held.Cookies, err
}

// lookAtJar notes the cookies that lie in the browser.
func (v *Visitor) lookAtJar(ctx context.Context) error {
	cookies, err := v.jar(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	held := make(map[string]string, len(cookies))
	for _, c := range cookies {
		a := attributes(c)
		third, cloaked := v.options.Site.Third(a.Domain)
		e := seen.Event{Act: seen.Kept, Stage: v.stage, Kind: seen.Cookie, Name: short(c.Name), Host: a.Domain,
			Third: third, Cloaked: cloaked, Page: v.page, Attributes: a, Hash: v.hash(c.Value)}
		key := fmt.Sprintf("%s;%s;%s;%v", c.Name, c.Domain, c.Path, c.PartitionKey)
		held[key] = fmt.Sprintf("%s;%v", c.Value, c.Expires)
		if held[key] != v.held[key] {
			v.storedUnheard(e)
		}
		v.record.add(e)
	}
	v.held, v.unheard = held, nil
	return nil
}

// storedUnheard notes that an answer to a shared worker has stored a cookie: of those the
// browser tells no header. It is taken for the cause of what nothing else has stored.
func (v *Visitor) storedUnheard(e seen.Event) {
	if len(v.unheard) == 0 || v.record.hasStored(e) {
		return
	}
	e.Act, e.By = seen.Stored, seen.Cause{Worker: workers["shared_worker"]}
	if len(v.unheard) == 1 {
		e.By.Header = v.unheard[0]
	}
	v.record.add(e)
}

// unheardOf notes an answer of which no header is told.
func (v *Visitor) unheardOf(t *tab, e *network.EventResponseReceived) {
	if t.worker == workers["shared_worker"] && !e.HasExtraInfo && e.Type != network.ResourceTypeScript && e.Response != nil {
		v.unheard = append(v.unheard, parse(e.Response.URL).whole)
	}
}
