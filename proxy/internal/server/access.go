package server

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// An Access says what is logged of each request: when, how, what for, what became of it,
// and from which network. Cookies and other headers never are.
type Access struct {
	// Log gets a line for each request. Nil means that there is no access log.
	Log *slog.Logger

	// Query logs query strings too, in which sites may have names, addresses and tokens.
	Query bool

	// WholeAddress logs the whole address of a visitor, which is personal data. Otherwise
	// it is cut to its network: 24 bits of IPv4, 48 of IPv6.
	WholeAddress bool
}

// Seen is a request that has ended.
type Seen struct {
	Request *http.Request
	Status  int   // 0 if there was no answer
	Bytes   int64 // of the body of the answer
	Time    time.Duration
}

func (s *Server) logAccess(seen Seen) {
	access := s.config.Access
	if access.Log == nil {
		return
	}
	r := seen.Request
	what := r.URL.Path
	if access.Query && r.URL.RawQuery != "" {
		what += "?" + r.URL.RawQuery
	}
	client := s.config.Trusted.Origin(r, s.config.Believed).Client()
	access.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method),
		slog.String("host", r.Host),
		slog.String("path", what),
		slog.String("protocol", r.Proto),
		slog.Int("status", seen.Status),
		slog.Int64("bytes", seen.Bytes),
		slog.Float64("ms", float64(seen.Time.Microseconds())/1000),
		slog.String("client", shownAddress(client, access.WholeAddress)),
	)
}

// The bits of an address that say from which network it is, and not from which household.
const (
	networkBits4 = 24
	networkBits6 = 48
)

func shownAddress(client netip.Addr, whole bool) string {
	switch {
	case !client.IsValid():
		return ""
	case whole:
		return client.String()
	}
	bits := networkBits6
	if client.Is4() {
		bits = networkBits4
	}
	network, err := client.Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}
