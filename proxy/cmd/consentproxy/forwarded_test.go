package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/trust"
)

func TestWhatAVisitorClaimsToBeIsNotPassedOn(t *testing.T) {
	claims := []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1", "X-Real-Ip: 6.6.6.6", "X_Forwarded_For: 6.6.6.6"}
	alone := map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http", "X-Real-Ip": "127.0.0.1",
		"Forwarded": `for=127.0.0.1;host="HOST";proto=http`,
	}
	for _, test := range []struct {
		name, trust string
		sent        []string
		want        map[string]string
	}{
		{"nobody is trusted", "", append(claims, "Forwarded: for=6.6.6.6"), alone},
		{"somebody else is trusted", "10.0.0.0/8,::1", claims, alone},
		{"an ordinary balancer, which passes on the other claims", "10.0.0.0/8, 127.0.0.1", append(claims, "Forwarded: for=6.6.6.6"), map[string]string{
			"X-Forwarded-For": "6.6.6.6, 127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "https", "X-Real-Ip": "6.6.6.6",
			"Forwarded": `for=6.6.6.6;host="HOST";proto=https, for=127.0.0.1`,
		}},
		{"a balancer that says nothing", "127.0.0.1", nil, alone},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := make(chan http.Header, 1)
			address, _ := inFront(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }), options{trust: test.trust})
			_, _, err := ask(t, "GET", address, test.sent...)
			require.NoError(t, err)
			have := make(map[string]string)
			for key, values := range <-got {
				if trust.IsForwarding(key) {
					have[key] = strings.Join(values, " | ")
				}
			}
			want := make(map[string]string)
			for key, value := range test.want {
				want[key] = strings.ReplaceAll(value, "HOST", strings.TrimPrefix(address, "http://"))
			}
			assert.Equal(t, want, have)
		})
	}
}
