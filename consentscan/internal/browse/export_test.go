package browse

import (
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
)

// Without makes a visitor without a browser, who is told of what happens by
// [Visitor.Event], in the order that a test wants.
func Without(site *Site, stage string) (*Visitor, *chrome.Session) {
	s := new(chrome.Session)
	return &Visitor{
		options: Options{Site: site}, stage: stage, page: "/", main: s, changed: make(chan struct{}),
		tabs:     map[*chrome.Session]*tab{s: {frames: make(map[cdp.FrameID]string), parents: make(map[cdp.FrameID]cdp.FrameID), contexts: make(map[runtime.ExecutionContextID]cdp.FrameID)}},
		requests: make(map[network.RequestID]*request),
		record:   newRecord(),
	}, s
}

// Clicked has the visitor click.
func (v *Visitor) Clicked() { v.clicked() }
