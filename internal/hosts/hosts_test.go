package hosts_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/hosts"
)

func TestTheNameOfAHostIsTheSameInEverySpelling(t *testing.T) {
	for field, want := range map[string]string{
		"": "", "example.org": "example.org", "Example.ORG.": "example.org", "example.org:8080": "example.org", "example.org.:80": "example.org",
		"127.0.0.1:80": "127.0.0.1", "[::1]": "::1", "[::1]:80": "::1", "localhost:": "localhost",
	} {
		assert.Equal(t, want, hosts.Name(field), field)
	}
}

func TestOnlyThisMachineIsSafeWithoutHTTPS(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "localhost": true, "a.localhost": true, "notlocalhost": false, "localhost.example.org": false,
		"127.0.0.1": true, "127.8.9.10": true, "::1": true, "10.0.0.1": false, "fd00::1": false,
	} {
		assert.Equal(t, want, hosts.IsLoopback(name), name)
	}
}

func TestAHostLiesUnderItsDomain(t *testing.T) {
	for _, test := range []struct {
		name, domain string
		want         bool
	}{
		{"example.org", "example.org", true},
		{"www.example.org", "example.org", true},
		{"a.b.example.org", "example.org", true},
		{"badexample.org", "example.org", false},
		{"example.org", "www.example.org", false},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "0.0.1", false},
		{"", "example.org", false},
	} {
		assert.Equal(t, test.want, hosts.Under(test.name, test.domain), "%q, %q", test.name, test.domain)
	}
}
