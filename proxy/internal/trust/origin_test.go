package trust_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/trust"
)

func request(from string, lines ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://site.example/", nil)
	r.RemoteAddr = from
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestOnlyWhatATrustedMachineHasSetIsBelieved(t *testing.T) {
	hops, err := trust.Parse("10.0.0.0/8", "fd00::/8")
	require.NoError(t, err)
	all := trust.Headers{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"}
	rfc := trust.Headers{"Forwarded"}
	for _, test := range []struct {
		name, from string
		believed   trust.Headers
		lines      []string
		chain      string
		proto      string
		host       string
	}{
		{"a visitor's claims", "9.9.9.9:1", all, []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil"}, "9.9.9.9", "http", "site.example"},
		{"a visitor of IPv4 on a socket of IPv6", "[::ffff:9.9.9.9]:1", nil, nil, "9.9.9.9", "http", "site.example"},
		{"a balancer", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https"}, "9.9.9.9 10.0.0.7", "https", "site.example"},
		{"a balancer that appends to a claim", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 6.6.6.6, 9.9.9.9"}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"a balancer that adds a line to a claim", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 9.9.9.9"}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"a claim to be trusted", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 6.6.6.6, 10.0.0.8, 9.9.9.9"}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"two balancers", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 6.6.6.6, 9.9.9.9, 10.0.0.8"}, "9.9.9.9 10.0.0.8 10.0.0.7", "http", "site.example"},
		{"a port", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 9.9.9.9:4711"}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"IPv6 with a port", "[fd00::1]:1", nil, []string{"X-Forwarded-For: [2001:db8::1]:4711"}, "2001:db8::1 fd00::1", "http", "site.example"},
		{"no address", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 9.9.9.9, unknown"}, "10.0.0.7", "http", "site.example"},
		{"empty elements", "10.0.0.7:1", nil, []string{"X-Forwarded-For: 9.9.9.9,, ,"}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"a host that is not believed", "10.0.0.7:1", nil, []string{"X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6;host=evil;proto=https"}, "10.0.0.7", "http", "site.example"},
		{"a host that is believed", "10.0.0.7:1", all, []string{"X-Forwarded-Host: evil, outside.example"}, "10.0.0.7", "http", "outside.example"},
		{"a host that is none", "10.0.0.7:1", all, []string{"X-Forwarded-Host: a b"}, "10.0.0.7", "http", "site.example"},
		{"a protocol that is none", "10.0.0.7:1", all, []string{"X-Forwarded-Proto: javascript"}, "10.0.0.7", "http", "site.example"},
		{"the last protocol", "10.0.0.7:1", all, []string{"X-Forwarded-Proto: http, HTTPS"}, "10.0.0.7", "https", "site.example"},
		{"Forwarded", "10.0.0.7:1", rfc, []string{`Forwarded: for=6.6.6.6;proto=http, For="[2001:db8::1]:80"; proto=https;host="outside.example"`, "X-Forwarded-For: 6.6.6.6"}, "2001:db8::1 10.0.0.7", "https", "outside.example"},
		{"Forwarded behind a quote that a visitor has opened", "10.0.0.7:1", rfc, []string{`Forwarded: for="6.6.6.6`, `Forwarded: for=9.9.9.9`}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"Forwarded with a quote in a quote", "10.0.0.7:1", rfc, []string{`Forwarded: for=9.9.9.9;ext="a\", for=6.6.6.6"`}, "9.9.9.9 10.0.0.7", "http", "site.example"},
		{"Forwarded by two", "10.0.0.7:1", rfc, []string{`Forwarded: for=9.9.9.9;proto=https, for=10.0.0.8;proto=http`}, "9.9.9.9 10.0.0.8 10.0.0.7", "https", "site.example"},
		{"Forwarded with an obfuscated node", "10.0.0.7:1", rfc, []string{`Forwarded: for=_hidden;proto=https`}, "10.0.0.7", "https", "site.example"},
		{"Forwarded with a pair twice", "10.0.0.7:1", rfc, []string{`Forwarded: for=6.6.6.6;for=9.9.9.9`}, "10.0.0.7", "http", "site.example"},
		{"Forwarded that is none", "10.0.0.7:1", rfc, []string{`Forwarded: for`}, "10.0.0.7", "http", "site.example"},
		{"a Unix socket", "@", nil, []string{"X-Forwarded-For: 9.9.9.9"}, "", "http", "site.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request(test.from, test.lines...)
			o := hops.Origin(r, test.believed)
			chain := make([]string, len(o.Chain))
			for i, addr := range o.Chain {
				chain[i] = addr.String()
			}
			assert.Equal(t, test.chain, strings.Join(chain, " "))
			assert.Equal(t, []string{test.proto, test.host}, []string{o.Proto, o.Host})
		})
	}
}

func TestAVisitorOnTLSHasAskedByHTTPS(t *testing.T) {
	r := request("9.9.9.9:1", "X-Forwarded-Proto: http")
	r.TLS = new(tls.ConnectionState)
	assert.Equal(t, "https", trust.Hops(nil).Origin(r, nil).Proto)
}

func TestTheSiteIsToldTheSameInEveryHeader(t *testing.T) {
	hops, err := trust.Parse("10.0.0.7")
	require.NoError(t, err)
	r := request("10.0.0.7:1", "X-Forwarded-For: 6.6.6.6, 2001:db8::1", "X-Forwarded-Host: evil", "X-Real-IP: 6.6.6.6", "X_Real_IP: 6.6.6.6",
		"Forwarded: for=6.6.6.6", "X-Forwarded-Port: 1", "X-Scheme: https", "Cf-Connecting-Ip: 2001:db8::1", "Accept: */*")
	out := r.Header.Clone()
	hops.Tell(out, r, nil)
	assert.Equal(t, http.Header{
		"X-Forwarded-For": {"2001:db8::1, 10.0.0.7"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"site.example"}, "X-Real-Ip": {"2001:db8::1"},
		"Forwarded":        {`for="[2001:db8::1]";host="site.example";proto=http, for=10.0.0.7`},
		"Cf-Connecting-Ip": {"2001:db8::1"}, "Accept": {"*/*"},
	}, out)

	r.RemoteAddr = "9.9.9.9:1"
	out = r.Header.Clone()
	hops.Tell(out, r, nil)
	assert.NotContains(t, out, "Cf-Connecting-Ip", "anybody can write it")
	assert.Equal(t, []string{"9.9.9.9"}, out["X-Forwarded-For"])

	r.RemoteAddr, r.Host = "@", `a"b\`
	out = r.Header.Clone()
	hops.Tell(out, r, nil)
	assert.NotContains(t, out, "X-Forwarded-For")
	assert.Equal(t, []string{`for=unknown;host="a\"b\\";proto=http`}, out["Forwarded"])
}

func TestMistakesInHeadersAreSaidAllAtOnce(t *testing.T) {
	_, err := trust.ParseHeaders("x-forwarded-for", "Forwarded", "Cookie", "")
	require.Error(t, err)
	for _, says := range []string{`"Cookie" is none of`, `"" is none of`, "stands alone"} {
		assert.ErrorContains(t, err, says)
	}
	headers, err := trust.ParseHeaders(" x-forwarded-for", "X-FORWARDED-HOST")
	require.NoError(t, err)
	assert.Equal(t, trust.Headers{"X-Forwarded-For", "X-Forwarded-Host"}, headers)
}

// Whatever a visitor claims, the element of the machine in front decides.
func FuzzForwarded(f *testing.F) {
	hops := trust.Hops{netip.MustParsePrefix("10.0.0.7/32")}
	for _, claim := range []string{"", "for=1.1.1.1", `for="`, `for="\`, `a=",", b`, `"`, `\"`, "for=10.0.0.7"} {
		f.Add(claim)
	}
	f.Fuzz(func(t *testing.T, claim string) {
		if strings.ContainsFunc(claim, func(r rune) bool { return r < ' ' }) {
			t.Skip("no header")
		}
		r := request("10.0.0.7:1")
		r.Header["Forwarded"] = []string{claim, `for=9.9.9.9;host="a\"\\";proto=https`}
		o := hops.Origin(r, trust.Headers{"Forwarded"})
		require.Equal(t, "9.9.9.9", o.Client().String())
		require.Equal(t, "https", o.Proto)
		r.Header["X-Forwarded-For"] = []string{claim + ",9.9.9.9"}
		require.Equal(t, "9.9.9.9", hops.Origin(r, nil).Client().String())
	})
}
