package browse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/input"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
)

// find is a function that looks for the first visible element of a selector, in open shadow
// roots too, and brings it into view.
const find = `(selector) => {
  const all = (root) => [...root.querySelectorAll(selector), ...[...root.querySelectorAll("*")].filter((e) => e.shadowRoot).flatMap((e) => all(e.shadowRoot))];
  const found = all(document);
  const shown = (e) => { const r = e.getBoundingClientRect(), s = getComputedStyle(e); return r.width > 0 && r.height > 0 && s.visibility !== "hidden"; };
  const e = found.find(shown) ?? null;
  e?.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  return e;
}`

// Click clicks in the middle of the first visible element of a selector. If something else
// lies over it, the element is clicked all the same, as by the keyboard.
func (v *Visitor) Click(ctx context.Context, selector string) error {
	var at *struct {
		X, Y  float64
		Under bool
	}
	err := v.Eval(ctx, `(async () => {
  const e = (`+find+`)(`+quoted(selector)+`);
  if (!e) return null;
  await new Promise(requestAnimationFrame);
  const r = e.getClientRects()[0] ?? e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
  let hit = document.elementFromPoint(x, y);
  while (hit?.shadowRoot) { const inner = hit.shadowRoot.elementFromPoint(x, y); if (!inner || inner === hit) break; hit = inner; }
  const free = hit && (e === hit || e.contains(hit) || hit.contains(e) && hit.tagName === "LABEL");
  return { x, y, under: !free };
})()`, &at)
	switch {
	case err != nil:
		return fmt.Errorf("click %s: %w", selector, err)
	case at == nil:
		return fmt.Errorf("click %s: no visible element matches", selector)
	case at.Under:
		v.clicked()
		return v.Eval(ctx, `(`+find+`)(`+quoted(selector)+`)?.click()`, nil)
	}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		event := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			event.Button, event.ClickCount = input.MouseButtonLeft, 1
		}
		if kind == input.DispatchMouseEventTypeMouseReleased {
			v.clicked() // the events of before have been read, since the press was answered
		}
		if err := v.dispatch(ctx, event); err != nil {
			return fmt.Errorf("click %s: %w", selector, err)
		}
	}
	return nil
}

// dispatch gives the page an event of the mouse. A page that leaves on account of it may
// never say that it has taken it.
func (v *Visitor) dispatch(ctx context.Context, event input.DispatchMouseEventParams) error {
	limited, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	v.touch()
	_, err := chrome.Call(limited, v.session(), input.DispatchMouseEvent, event)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// Fill puts text into the first visible field of a selector, as typing does.
func (v *Visitor) Fill(ctx context.Context, selector, text string) error {
	var there bool
	err := v.Eval(ctx, `((e) => { e?.focus(); e?.select?.(); return !!e; })((`+find+`)(`+quoted(selector)+`))`, &there)
	if err == nil && !there {
		err = errors.New("no visible element matches")
	}
	if err == nil {
		_, err = chrome.Call(ctx, v.session(), input.InsertText, input.InsertTextParams{Text: text})
	}
	if err != nil {
		return fmt.Errorf("fill %s: %w", selector, err)
	}
	return nil
}

// Stir moves the mouse, presses a key that types nothing and scrolls to the end: what many
// a page waits for before it loads its tags or what lies below.
func (v *Visitor) Stir(ctx context.Context) error {
	for _, at := range []float64{200, 320} {
		if err := v.dispatch(ctx, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at, Y: at}); err != nil {
			return err
		}
	}
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		chrome.Send(v.session(), input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Shift", Code: "ShiftLeft", WindowsVirtualKeyCode: 16})
	}
	// In steps, as an observer of what is in view may see nothing of a jump. A page that
	// grows as it is scrolled is left after ten screens.
	return v.Eval(ctx, `(async () => {
  const step = innerHeight * 0.9;
  for (let i = 0; i < 10 && scrollY + innerHeight < document.documentElement.scrollHeight - 1; i++) {
    scrollBy({ top: step, behavior: "instant" });
    await new Promise((r) => setTimeout(r, 60));
  }
  dispatchEvent(new Event("scroll"));
})()`, nil)
}
