package scan

import (
	"sync"

	"github.com/cookiecharter/consent/consentscan/internal/crawl"
)

// A trail is the pages that the first visitor finds and the others follow.
type trail struct {
	mu    sync.Mutex
	grown *sync.Cond
	pages []crawl.Page
	ended bool
}

func newTrail() *trail {
	t := new(trail)
	t.grown = sync.NewCond(&t.mu)
	return t
}

func (t *trail) add(p crawl.Page) {
	t.mu.Lock()
	t.pages = append(t.pages, p)
	t.mu.Unlock()
	t.grown.Broadcast()
}

// end: no more pages will come.
func (t *trail) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.grown.Broadcast()
}

// at waits for the nth page, and returns false if there is none.
func (t *trail) at(n int) (crawl.Page, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n >= len(t.pages) && !t.ended {
		t.grown.Wait()
	}
	if n >= len(t.pages) {
		return crawl.Page{}, false
	}
	return t.pages[n], true
}

func (t *trail) known(n int) (crawl.Page, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n >= len(t.pages) {
		return crawl.Page{}, false
	}
	return t.pages[n], true
}

func (t *trail) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pages)
}
