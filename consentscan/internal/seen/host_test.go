package seen_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

func TestAHostIsThisMachineHoweverItIsWritten(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost.": true, "shop.localhost:8080": true, "127.0.0.1": true, "127.1.2.3:80": true, "[::1]": true, "[::1]:443": true, "::1": true,
		"example.org": false, "localhost.example.org": false, "notlocalhost": false, "10.0.0.1": false, "[2001:db8::1]:80": false, "": false,
	} {
		assert.Equal(t, want, seen.IsLocal(host), host)
	}
}
