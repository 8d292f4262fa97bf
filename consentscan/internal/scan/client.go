package scan

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"
)

// newClient returns who asks for robots.txt and sitemaps.
func newClient(invalidCertificates bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment,
			// A browser takes each name below localhost for this machine (RFC 6761, section
			// 6.3), and not each resolver does.
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
					address = net.JoinHostPort("localhost", port)
				}
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig:       &tls.Config{InsecureSkipVerify: invalidCertificates}, // as the browser of the same scan
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: 10 * time.Second,
		},
	}
}
