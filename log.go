package consent

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// LogTo returns a function for [Config.Observe] that writes events to a log: of
// each cookie and reason the first, and then at most one in every span of time,
// with the number of those that were left out ("more"). Zero means a minute. What
// follows from a visitor's choice, or from there being none yet, is information;
// everything else is a warning, since the declarations are not as the site is.
//
// Names that hold more than printable characters are quoted. What is remembered
// is bounded: beyond a thousand pairs of name and reason, which only a flood has,
// new ones are logged together under "*".
func LogTo(logger *slog.Logger, every time.Duration) func(*http.Request, Event) {
	if every == 0 {
		every = time.Minute
	}
	l := &limiter{every: every, last: make(map[limitKey]*limit)}
	return func(r *http.Request, e Event) {
		name, more, ok := l.allow(limitKey{e.Cookie, e.Reason}, time.Now())
		if !ok {
			return
		}
		verb := string(e.Outcome)
		if e.ReportOnly && e.Outcome != OutcomePassed {
			verb = "would be " + verb
		}
		level := slog.LevelWarn
		switch e.Reason {
		case ReasonUndecided, ReasonRefused, ReasonObjected:
			level = slog.LevelInfo
		case ReasonOutlivesDeclared, ReasonOtherDomain, ReasonOtherPath, ReasonNotHttpOnly:
			verb = "is not as declared"
		}
		logger.LogAttrs(r.Context(), level, "cookie "+verb,
			slog.String("cookie", printable(name)),
			slog.String("reason", string(e.Reason)),
			slog.String("request", printable(r.URL.Path)),
			slog.Int("more", more),
		)
	}
}

// printable quotes what a terminal or a line of text might take for more than
// text.
func printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == '\uFFFD' {
			return strconv.Quote(s)
		}
	}
	return s
}

// A limiter lets one event of a key through in each span of time.
type limiter struct {
	every time.Duration
	mu    sync.Mutex
	last  map[limitKey]*limit
}

type limitKey struct {
	cookie string
	reason Reason
}

type limit struct {
	at   time.Time // of the last event that was let through
	more int       // since then
}

// maxLimits bounds what a limiter remembers.
const maxLimits = 1000

// allow reports whether an event may be logged now, under which name, and how
// many have not been since the last one.
func (l *limiter) allow(key limitKey, now time.Time) (name string, more int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last[key] == nil && len(l.last) >= maxLimits {
		key.cookie = "*"
	}
	last := l.last[key]
	if last == nil {
		last = new(limit)
		l.last[key] = last
	}
	if !last.at.IsZero() && now.Sub(last.at) < l.every {
		last.more++
		return "", 0, false
	}
	more, last.more, last.at = last.more, 0, now
	return key.cookie, more, true
}
