package scan

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/browse"
	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// linger is how long a living page is looked at after a withdrawal.
const linger = 3 * time.Second

func (s *scan) patience() time.Duration {
	if s.options.Timeout > 0 {
		return 4 * s.options.Timeout
	}
	return time.Minute
}

// walk has one visitor go through all stages of a visit. An error says that the browser
// is gone, or that the context has ended.
func (s *scan) walk(ctx context.Context, w visit) error {
	if w.leads {
		defer s.trail.end()
	}
	v, err := s.visitor(ctx, w.firstName(), w)
	if err != nil {
		return err
	}
	defer func() {
		v.Close()
		s.take(v)
	}()
	if err := s.setUp(ctx, v); err != nil {
		if fatal(ctx, err) {
			return err
		}
		s.skip(w, 0, err.Error())
		return nil
	}
	if w.answer != nil {
		if stop, err := s.answers(ctx, v, w); stop || err != nil {
			return err
		}
	}
	if err := s.look(ctx, v, w, 0, w.first); err != nil {
		return err
	}
	switch {
	case w.withdraws:
		return s.withdraw(ctx, v, w)
	case w.then != nil:
		if err := v.Bring(ctx, w.then.Cookie); err != nil {
			return err
		}
		// The request that brings the decision to the site brings along what is refused by it.
		if err := v.Open(ctx, s.start.String()); err != nil {
			return s.cannot(ctx, w, 1, err)
		}
		v.Stage(w.then.Stage.Name)
		return s.look(ctx, v, w, 1, w.then.Stage)
	}
	return nil
}

// firstName is the stage in which a visit begins: who will answer is new until then.
func (w visit) firstName() string {
	if w.answer != nil {
		return before
	}
	return w.first.Name
}

// answers opens the first page and answers there. It says whether the visit stops.
func (s *scan) answers(ctx context.Context, v *browse.Visitor, w visit) (stop bool, err error) {
	if err := v.Open(ctx, s.start.String()); err != nil {
		return true, s.cannot(ctx, w, 0, err)
	}
	s.picture(ctx, v, w.first.Name)
	v.Answering(w.first.Name, !w.first.Nothing)
	if err := s.within(ctx, v, w.answer); err != nil {
		return true, s.cannot(ctx, w, 0, err)
	}
	v.Stage(w.first.Name)
	return false, nil
}

// within gives an answer as long as a person would try.
func (s *scan) within(ctx context.Context, v *browse.Visitor, answer func(context.Context, banner.Page) error) error {
	limited, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	return answer(limited, v)
}

// cannot notes that a stage and those after it were not walked.
func (s *scan) cannot(ctx context.Context, w visit, from int, err error) error {
	if fatal(ctx, err) {
		return err
	}
	s.skip(w, from, err.Error())
	return nil
}

// fatal says whether an error ends the scan.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, chrome.ErrGone)
}

// look walks the pages in one stage.
func (s *scan) look(ctx context.Context, v *browse.Visitor, w visit, nth int, stage seen.Stage) error {
	for i := 0; ; i++ {
		page, ok := s.page(w, i)
		if !ok || ctx.Err() != nil {
			break
		}
		links, shown, err := s.open(ctx, v, page, stage.Nothing)
		if fatal(ctx, err) {
			return err
		}
		path := pathOf(page.URL)
		if err != nil {
			v.Problem(path, "%s", plainly(err))
		}
		if w.leads && nth == 0 {
			s.crawl.Add(shown, links, page.Depth)
		}
		if i == 0 && err == nil && w.answer == nil {
			s.picture(ctx, v, stage.Name)
		}
		s.progress(stage.Name, path)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if stage.Answered && s.way != nil {
		if err := s.isKept(ctx, v, stage.Name); err != nil {
			return err
		}
	}
	if err := v.Leave(ctx); fatal(ctx, err) {
		return err
	}
	return nil
}

// isKept notes whether the site still knows the answer.
func (s *scan) isKept(ctx context.Context, v *browse.Visitor, stage string) error {
	if err := v.Open(ctx, s.start.String()); err != nil {
		return unlessFatal(ctx, err)
	}
	kept, known, err := s.way.Kept(ctx, v)
	if err != nil {
		return unlessFatal(ctx, err)
	}
	if known {
		s.mu.Lock()
		s.stage(stage).Kept = &kept
		s.mu.Unlock()
	}
	return nil
}

func unlessFatal(ctx context.Context, err error) error {
	if fatal(ctx, err) {
		return err
	}
	return nil
}

// page returns the nth page of a visit. Who leads finds it, who follows waits for it.
func (s *scan) page(w visit, n int) (crawl.Page, bool) {
	if !w.leads {
		return s.trail.at(n)
	}
	if page, ok := s.trail.known(n); ok {
		return page, true // walked again
	}
	page, ok := s.next(n)
	if ok {
		s.trail.add(page)
	}
	return page, ok
}

func (s *scan) next(n int) (crawl.Page, bool) {
	if len(s.options.Pages) == 0 {
		return s.crawl.Next()
	}
	if n >= len(s.options.Pages) {
		return crawl.Page{}, false
	}
	to, err := s.start.Parse(s.options.Pages[n])
	if err != nil {
		to = s.start
	}
	return crawl.Page{URL: to.String()}, true
}

// open looks at one page, and returns its links and the address that is shown in the end.
func (s *scan) open(ctx context.Context, v *browse.Visitor, page crawl.Page, nothing bool) (links []string, shown string, err error) {
	if err = v.Open(ctx, page.URL); err != nil {
		return nil, page.URL, err
	}
	if shown, err = v.Address(ctx); err != nil {
		return nil, page.URL, err
	}
	if u, parsed := url.Parse(shown); parsed == nil && u.Host != "" {
		if third, _ := s.site.Third(u.Host); third {
			return nil, shown, fmt.Errorf("leads to %s, which is another site", u.Host)
		}
	}
	if err = v.Stir(ctx); err == nil {
		err = v.Settle(ctx)
	}
	if err != nil {
		return nil, shown, err
	}
	links, err = v.Look(ctx, nothing)
	return links, shown, err
}

// withdraw takes a consent back on the page that does most, looks what the living page goes
// on doing, and walks all pages once more.
func (s *scan) withdraw(ctx context.Context, v *browse.Visitor, w visit) error {
	busiest := s.busiest(v, w.first.Name)
	_, _, err := s.open(ctx, v, crawl.Page{URL: busiest}, false)
	if err != nil {
		return s.cannot(ctx, w, 1, err)
	}
	v.Answering(withdrawing, false)
	if err := s.within(ctx, v, s.way.Withdraw); err != nil {
		return s.cannot(ctx, w, 1, err)
	}
	v.Stage(withdrawing)
	if err := v.Linger(ctx, linger); err != nil {
		return s.cannot(ctx, w, 1, err)
	}
	if _, err := v.Look(ctx, true); fatal(ctx, err) {
		return err
	}
	s.picture(ctx, v, withdrawing)
	s.mu.Lock()
	s.stage(withdrawing).Pages = []string{pathOf(busiest)}
	s.mu.Unlock()
	v.Stage(withdrawn)
	w.leads = false
	return s.look(ctx, v, w, 2, w.stages()[2])
}

// busiest returns the page on which most was stored or contacted in a stage.
func (s *scan) busiest(v *browse.Visitor, stage string) string {
	count := make(map[string]int)
	for _, e := range v.Events() {
		if e.Stage == stage && (e.Act == seen.Stored || e.Act == seen.Contacted) {
			count[e.Page]++
		}
	}
	best, most := s.start.String(), -1
	for i := 0; ; i++ {
		page, ok := s.trail.at(i)
		if !ok {
			return best
		}
		if n := count[pathOf(page.URL)]; n > most {
			best, most = page.URL, n
		}
	}
}

// plainly leaves out what a report says already.
func plainly(err error) string {
	var load *browse.LoadError
	if errors.As(err, &load) {
		return load.Reason()
	}
	return err.Error()
}
