package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
	"github.com/cookiecharter/consent/proxy/internal/server"
)

// writeCertificate makes a certificate that signs itself, for names and 127.0.0.1.
func writeCertificate(t *testing.T, folder string, names ...string) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	require.NoError(t, err)
	certificate, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	return certificate, key
}

// secureClient trusts everybody: who has answered is what the tests ask.
func secureClient(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: client.CheckRedirect, Timeout: time.Minute}
}

func nameOf(t *testing.T, address string) string {
	conn, err := tls.Dial("tcp", strings.TrimPrefix(address, "https://"), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestACertificateThatChangesCountsWithoutARestart(t *testing.T) {
	folder := t.TempDir()
	certificate, key := writeCertificate(t, folder, "first.example")
	said := new(journal)
	s, _ := listen(t, server.Config{
		Handler: http.NotFoundHandler(), Log: slog.New(slog.NewTextHandler(said, nil)),
		TLS: server.TLS{Certificate: certificate, Key: key},
	})
	assert.Equal(t, "first.example", nameOf(t, addressOf(s)))

	require.NoError(t, os.WriteFile(certificate, []byte("half writ"), 0o600))
	assert.Eventually(t, func() bool {
		assert.Equal(t, "first.example", nameOf(t, addressOf(s)))
		return strings.Contains(said.String(), "the one before stays")
	}, time.Minute, 100*time.Millisecond)

	writeCertificate(t, folder, "second.example")
	assert.Eventually(t, func() bool { return nameOf(t, addressOf(s)) == "second.example" }, time.Minute, 100*time.Millisecond)
}

func TestVisitorsComeByHTTP2AndASiteMayBeAskedByIt(t *testing.T) {
	certificate, key := writeCertificate(t, t.TempDir(), "site.example")
	for _, byHTTP2 := range []bool{false, true} {
		t.Run(fmt.Sprint("h2c to the site ", byHTTP2), func(t *testing.T) {
			protocols := new(http.Protocols)
			protocols.SetHTTP1(true)
			protocols.SetUnencryptedHTTP2(true)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			behind := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Upgrade") != "" {
					echo(w)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				w.Header().Add("Set-Cookie", "_ga=1")
				w.Header().Add("Set-Cookie", "sessionid=1")
				w.Header().Set("Seen-Protocol", r.Proto+" "+r.Header.Get("X-Forwarded-Proto"))
				io.WriteString(w, page)
			})}
			go behind.Serve(listener)
			t.Cleanup(func() { behind.Close() })
			scheme, seen := "http", "HTTP/1.1 https"
			if byHTTP2 {
				scheme, seen = "h2c", "HTTP/2.0 https"
			}
			handler, err := newHandler(options{to: scheme + "://" + listener.Addr().String(), inject: true}, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			s, _ := listen(t, server.Config{Handler: handler, TLS: server.TLS{Certificate: certificate, Key: key}})
			response, err := secureClient(t).Get(addressOf(s))
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, "HTTP/2.0", response.Proto)
			assert.Equal(t, seen, response.Header.Get("Seen-Protocol"))
			assert.Equal(t, []string{"sessionid=1"}, response.Header["Set-Cookie"])
			assert.Equal(t, withBanner, string(body))

			conn, err := tls.Dial("tcp", strings.TrimPrefix(addressOf(s), "https://"), &tls.Config{InsecureSkipVerify: true})
			require.NoError(t, err)
			defer conn.Close()
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
			got := make([]byte, 300)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			n, err := conn.Read(got)
			require.NoError(t, err)
			assert.Contains(t, string(got[:n]), "101 Switching", "a websocket comes by HTTP/1.1")
		})
	}
}

func TestAStreamOfHTTP2ThatTakesNothingMoreIsNotWaitedForForEver(t *testing.T) {
	certificate, key := writeCertificate(t, t.TempDir(), "site.example")
	left := make(chan error, 1)
	site := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, zeros{})
		left <- err
	})
	s, _ := listen(t, server.Config{
		Handler: passOn(t, site), TLS: server.TLS{Certificate: certificate, Key: key},
		Limits: server.Limits{Piece: 200 * time.Millisecond, Grace: time.Second},
	})
	response, err := secureClient(t).Get(addressOf(s)) // and reads no body
	require.NoError(t, err)
	defer response.Body.Close()
	select {
	case err := <-left:
		assert.Error(t, err, "the site is set free")
	case <-time.After(30 * time.Second):
		t.Fatal("it is waited for")
	}
}

func TestWhoComesByHTTPIsSentToHTTPS(t *testing.T) {
	certificate, key := writeCertificate(t, t.TempDir(), "site.example")
	redirect := servertest.FreeAddress(t)
	listen(t, server.Config{Handler: http.NotFoundHandler(), TLS: server.TLS{Certificate: certificate, Key: key, Redirect: redirect}})
	r, err := http.NewRequest("GET", "http://"+redirect+"/a%2Fb?c=d", nil)
	require.NoError(t, err)
	r.Host = "site.example:80"
	response, err := client.Do(r)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusMovedPermanently, response.StatusCode)
	assert.Equal(t, "https://site.example/a%2Fb?c=d", response.Header.Get("Location"))
	response, err = client.Post("http://"+redirect, "text/plain", strings.NewReader("secret"))
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
}

func TestMistakesOfTLSAreSaidAllAtOnce(t *testing.T) {
	for _, test := range []struct {
		tls  server.TLS
		says []string
	}{
		{server.TLS{Certificate: "cert.pem", ACME: &server.ACME{}}, []string{"belong together", "not both", "names no host", "names no folder"}},
		{server.TLS{Redirect: ":80"}, []string{"there is none"}},
		{server.TLS{Certificate: "/no/such", Key: "/no/such"}, []string{"/no/such"}},
	} {
		_, err := server.Listen(server.Config{Addr: "127.0.0.1:0", Handler: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler), TLS: test.tls})
		require.Error(t, err)
		for _, says := range test.says {
			assert.ErrorContains(t, err, says)
		}
	}
}

func TestEveryAddressThatCannotBeHadIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = server.Listen(server.Config{Addr: taken.Addr().String(), Admin: server.Admin{Addr: "nowhere"}, Handler: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler)})
	require.Error(t, err)
	assert.ErrorContains(t, err, "address for visitors")
	assert.ErrorContains(t, err, "address for operators")
}

func TestOperatorsAreTold(t *testing.T) {
	var broken error
	closing, goOn := make(chan bool), make(chan bool)
	s, stop := listen(t, server.Config{
		Handler: http.NotFoundHandler(),
		Admin: server.Admin{Addr: "127.0.0.1:0", Ready: func(context.Context) error { return broken },
			Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "figures") })},
		Close: func(context.Context) error { closing <- true; <-goOn; return nil },
	})
	operators := "http://" + s.AdminAddr().String()
	tell := func(path string) string {
		response, body, err := ask(t, "GET", operators+path)
		require.NoError(t, err)
		return fmt.Sprint(response.StatusCode, " ", body)
	}
	assert.Equal(t, "200 ok\n", tell("/healthz"))
	assert.Equal(t, "200 ok\n", tell("/readyz"))
	assert.Equal(t, "200 figures", tell("/metrics"))
	assert.Contains(t, tell("/"), "404")
	broken = io.ErrClosedPipe
	assert.Equal(t, "503 "+broken.Error()+"\n", tell("/readyz"))
	assert.Equal(t, "200 ok\n", tell("/healthz"), "a restart would not help")
	broken = nil
	ended := make(chan error)
	go func() { ended <- stop() }()
	<-closing
	assert.Equal(t, "503 stopping\n", tell("/readyz"))
	goOn <- true
	require.NoError(t, <-ended)
}

func TestTheAccessLogSaysNoMoreOfAVisitorThanItMust(t *testing.T) {
	for _, test := range []struct {
		name   string
		access server.Access
		has    []string
		hasNot []string
	}{
		{"by default", server.Access{}, []string{"method=GET", "path=/cart", "status=200", "bytes=4", "client=127.0.0.0/24"}, []string{"token", "secret", "127.0.0.1"}},
		{"with everything", server.Access{Query: true, WholeAddress: true}, []string{`path="/cart?token=1"`, "client=127.0.0.1"}, []string{"secret"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said bytes.Buffer
			test.access.Log = slog.New(slog.NewTextHandler(&said, nil))
			s, stop := listen(t, server.Config{Handler: passOn(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Set-Cookie", "sessionid=secret")
				io.WriteString(w, "well")
			})), Access: test.access})
			_, _, err := ask(t, "GET", addressOf(s)+"/cart?token=1", "Cookie: sessionid=secret", "Referer: http://x/?secret", "User-Agent: secret")
			require.NoError(t, err)
			require.NoError(t, stop())
			for _, has := range test.has {
				assert.Contains(t, strings.ReplaceAll(said.String(), addressOf(s)[len("http://"):], "HOST"), has)
			}
			for _, hasNot := range test.hasNot {
				assert.NotContains(t, strings.ReplaceAll(said.String(), addressOf(s)[len("http://"):], "HOST"), hasNot)
			}
		})
	}
}
