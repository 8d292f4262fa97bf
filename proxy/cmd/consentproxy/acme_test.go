package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/cookiecharter/consent/internal/servertest"
	"github.com/cookiecharter/consent/proxy/internal/server"
)

// The child of the test below has an environment of its own, in which it trusts the
// authority: a process reads its roots once.
const asACME = "PROXY_AS_ACME"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asProgram) != "":
		asTheProgram()
	case os.Getenv(asACME) != "":
		serveByACME()
	default:
		os.Exit(m.Run())
	}
}

// serveByACME serves on the address, from the directory and with the cache that the
// environment names, until it is killed.
func serveByACME() {
	settings := strings.Split(os.Getenv(asACME), " ")
	s, err := server.Listen(server.Config{
		Addr: settings[0], Log: slog.Default(),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "well") }),
		TLS:     server.TLS{ACME: &server.ACME{Hosts: []string{acmeHost}, Directory: settings[1], Cache: settings[2], Email: "a@site.example"}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // it outlives no test
	defer cancel()
	if err := s.Serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const acmeHost = "www.site.example"

// The authority is pebble, which Let's Encrypt has made for tests. It finds the host by the
// test's own DNS, and comes by TLS to see who answers (RFC 8737).
func TestACertificateIsAskedForByACME(t *testing.T) {
	pebble := servertest.Find(t, "pebble") // see .ci/run
	folder := t.TempDir()
	certificate, key := writeCertificate(t, folder, "localhost")
	visitors, authority, management := servertest.FreeAddress(t), servertest.FreeAddress(t), servertest.FreeAddress(t)
	_, port, err := net.SplitHostPort(visitors)
	require.NoError(t, err)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": authority, "managementListenAddress": management, "certificate": certificate, "privateKey": key,
		"httpPort": 1, "tlsPort": json.Number(port),
	}})
	require.NoError(t, err)
	file := filepath.Join(folder, "pebble.json")
	require.NoError(t, os.WriteFile(file, config, 0o600))
	issuer := exec.CommandContext(t.Context(), pebble, "-config", file, "-dnsserver", eachConn(t, answerNames))
	issuer.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=20")
	said := new(journal)
	issuer.Stdout, issuer.Stderr = said, said
	require.NoError(t, issuer.Start())
	t.Cleanup(func() { _ = issuer.Wait() }) // killed

	cache := filepath.Join(folder, "cache")
	start := func() *exec.Cmd {
		c := exec.CommandContext(t.Context(), os.Args[0])
		c.Env = append(os.Environ(), asACME+"="+visitors+" https://"+authority+"/dir "+cache, "SSL_CERT_FILE="+certificate)
		c.Stderr = said
		require.NoError(t, c.Start())
		return c
	}
	first := start()
	roots := x509.NewCertPool()
	require.Eventually(t, func() bool {
		response, err := secureClient(t).Get("https://" + management + "/roots/0")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		root, err := io.ReadAll(response.Body)
		block, _ := pem.Decode(root)
		return err == nil && block != nil && roots.AppendCertsFromPEM(root)
	}, time.Minute, 100*time.Millisecond, "%s", said)
	serial := ""
	ask := func() error {
		conn, err := tls.Dial("tcp", visitors, &tls.Config{ServerName: acmeHost, RootCAs: roots})
		if err != nil {
			return err
		}
		defer conn.Close()
		serial = conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
		return nil
	}
	require.Eventually(t, func() bool { return ask() == nil }, time.Minute, 500*time.Millisecond, "%s", said)
	_, err = tls.Dial("tcp", visitors, &tls.Config{ServerName: "other.example", RootCAs: roots})
	assert.Error(t, err, "nothing is asked for a host that is not named")

	before := serial
	require.NoError(t, first.Process.Kill())
	_ = first.Wait() // killed
	start()
	require.Eventually(t, func() bool { return ask() == nil }, time.Minute, 100*time.Millisecond, "%s", said)
	assert.Equal(t, before, serial, "what is in the cache is not asked for again")
}

// answerNames is a DNS, on TCP, for which every name is 127.0.0.1. Each question comes with
// its length before it (RFC 1035 section 4.2.2).
func answerNames(conn net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(question) != nil || len(m.Questions) != 1 {
			return
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
		packed, err := m.AppendPack(make([]byte, 2))
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(packed, uint16(len(packed)-2))
		if _, err := conn.Write(packed); err != nil {
			return
		}
	}
}
