package charter

import "sync"

// maxHosts is how many hosts the notices of one process name. A client can send any host,
// and each makes notices of its own, which a recorder keeps.
const maxHosts = 50

// Hosts are those that notices name: the first that visitors have answered on. The zero
// value is ready to use.
type hosts struct {
	mu    sync.Mutex
	named map[string]bool
}

// keep returns the host, or "" if there are too many others.
func (h *hosts) keep(host string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if host == "" || h.named[host] {
		return host
	}
	if len(h.named) >= maxHosts {
		return ""
	}
	if h.named == nil {
		h.named = make(map[string]bool)
	}
	h.named[host] = true
	return host
}
