package scan

import (
	"context"
	"net/url"
	"slices"

	"github.com/cookiecharter/consent/consentscan/internal/browse"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

func (s *scan) skip(w visit, from int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stage := range w.stages()[from:] {
		if known := s.stage(stage.Name); known.Skipped == "" {
			known.Skipped = why
		}
	}
}

// stage returns the stage of that name. The scan is locked.
func (s *scan) stage(name string) *seen.Stage {
	i := slices.IndexFunc(s.result.Stages, func(stage seen.Stage) bool { return stage.Name == name })
	return &s.result.Stages[i]
}

func (s *scan) picture(ctx context.Context, v *browse.Visitor, stage string) {
	if !s.options.Pictures {
		return
	}
	png, err := v.Picture(ctx)
	if err != nil {
		return // a page that cannot be pictured was told of already
	}
	address, _ := v.Address(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.stage(stage)
	of.Pictures = append(of.Pictures, seen.Picture{Page: pathOf(address), PNG: png})
}

func (s *scan) progress(stage, page string) {
	s.mu.Lock()
	known := s.stage(stage)
	known.Pages = append(known.Pages, page)
	s.looked++
	p := Progress{Stage: stage, Page: page, Looked: s.looked, Known: s.trail.len() * len(s.result.Stages), browser: s.browser}
	s.mu.Unlock()
	if s.options.Progress != nil {
		s.options.Progress(p)
	}
}

// take adds what a visitor has seen to the result.
func (s *scan) take(v *browse.Visitor) {
	events, problems := v.Events(), v.Problems()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Events = append(s.result.Events, events...)
	s.result.Problems = append(s.result.Problems, problems...)
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return "/"
	}
	return u.EscapedPath()
}
