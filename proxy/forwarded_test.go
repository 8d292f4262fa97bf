package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/backend"
)

func TestWhatAVisitorClaimsToBeIsNotPassedOn(t *testing.T) {
	claims := []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1", "X-Real-Ip: 6.6.6.6", "X_Forwarded_For: 6.6.6.6"}
	for _, test := range []struct {
		name, trust string
		sent        []string
		want        map[string]string
	}{
		{"nobody is trusted", "", append(claims, "Forwarded: for=6.6.6.6"), map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http",
			"Forwarded": `for=127.0.0.1;host="HOST";proto="http"`,
		}},
		{"somebody else is trusted", "10.0.0.0/8,::1", claims, map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http",
			"Forwarded": `for=127.0.0.1;host="HOST";proto="http"`,
		}},
		{"a balancer that uses X-Forwarded", "10.0.0.0/8, 127.0.0.1", claims, map[string]string{
			"X-Forwarded-For": "6.6.6.6, 127.0.0.1", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1",
			"X-Real-Ip": "6.6.6.6", "X_forwarded_for": "6.6.6.6",
		}},
		{"a balancer that uses Forwarded", "127.0.0.0/8", []string{"Forwarded: for=6.6.6.6;proto=https"}, map[string]string{
			"Forwarded": `for=6.6.6.6;proto=https, for=127.0.0.1;host="HOST";proto="http"`,
		}},
		{"a balancer that says nothing", "127.0.0.1", nil, map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http",
			"Forwarded": `for=127.0.0.1;host="HOST";proto="http"`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := make(chan http.Header, 1)
			address, _ := inFront(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }), options{trust: test.trust})
			_, _, err := ask(t, "GET", address, test.sent...)
			require.NoError(t, err)
			have := make(map[string]string)
			for key, values := range <-got {
				if backend.IsForwarding(key) {
					have[key] = strings.Join(values, " | ")
				}
			}
			for key, value := range test.want {
				test.want[key] = strings.ReplaceAll(value, "HOST", strings.TrimPrefix(address, "http://"))
			}
			assert.Equal(t, test.want, have)
		})
	}
}
