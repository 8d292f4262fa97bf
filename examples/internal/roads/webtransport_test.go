package roads

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// serveSessions serves by WebTransport what around makes of a handler that opens a
// session and echoes its first stream. Before that, the handler sets both cookies, and
// sends what a Save says.
func serveSessions(t *testing.T, s site, around func(http.Handler) http.Handler) (url string, certificate tls.Certificate) {
	t.Helper()
	certificate = shortCertificate(t)
	server := &webtransport.Server{
		H3:          &http3.Server{TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})},
		CheckOrigin: func(*http.Request) bool { return true },
	}
	server.H3.Handler = around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setBoth(w)
		w.Header().Set("Saved", fmt.Sprint(s.mw.Save(w, r, consent.AcceptAll())))
		assert.Empty(t, r.Cookies(), "a browser sends none")
		session, err := server.Upgrade(w, r)
		if !assert.NoError(t, err) {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		stream, err := session.AcceptStream(r.Context())
		if err != nil {
			return // the browser has gone
		}
		io.Copy(stream, stream)
		stream.Close()
		<-session.Context().Done()
	}))
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	go server.Serve(conn)
	t.Cleanup(func() { server.Close(); conn.Close() })
	return "https://" + conn.LocalAddr().String() + "/session", certificate
}

// shortCertificate is one that browsers take by its hash: of ECDSA, and valid for less
// than two weeks (W3C WebTransport, "custom certificate requirements").
func shortCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestNothingElseChangesForASessionOfWebTransport(t *testing.T) {
	s, err := newSite()
	require.NoError(t, err)
	for name, around := range map[string]func(http.Handler) http.Handler{
		"once":  s.mw.Wrap,
		"twice": func(h http.Handler) http.Handler { return s.mw.Wrap(s.mw.Wrap(h)) },
	} {
		t.Run(name, func(t *testing.T) {
			url, certificate := serveSessions(t, s, around)
			roots := x509.NewCertPool()
			roots.AddCert(certificate.Leaf)
			dialer := webtransport.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			response, session, err := dialer.Dial(t.Context(), url, nil)
			require.NoError(t, err)
			defer dialer.Close()
			defer session.CloseWithError(0, "")
			assert.Equal(t, consent.ErrTooLate.Error(), response.Header.Get("Saved"), "nothing can be decided")
			assert.Len(t, response.Header["Set-Cookie"], 2, "what no browser stores: see the test below")
			stream, err := session.OpenStreamSync(t.Context())
			require.NoError(t, err)
			_, err = io.WriteString(stream, "a word")
			require.NoError(t, err)
			require.NoError(t, stream.Close())
			echo, err := io.ReadAll(stream)
			require.NoError(t, err)
			assert.Equal(t, "a word", string(echo))
		})
	}
}

// The head of a session is not filtered: browsers neither send cookies for one nor store
// those of the answer.
func TestNothingLeaksIntoABrowserThatOpensASession(t *testing.T) {
	s, err := newSite()
	require.NoError(t, err)
	for name, browser := range map[string]func(*testing.T, string){"Chromium": browsertest.Chromium, "Firefox": browsertest.Firefox} {
		t.Run(name, func(t *testing.T) {
			url, certificate := serveSessions(t, s, s.mw.Wrap)
			hash := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(sha256.Sum256(certificate.Leaf.Raw)), "[]")), ",")
			after := make(chan string, 1)
			mux := http.NewServeMux()
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "page", Value: "1"})
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprintf(w, `<script>(async () => {
					let said
					try {
						const session = new WebTransport(%q, {serverCertificateHashes: [{algorithm: "sha-256", value: new Uint8Array([%s])}]})
						await session.ready
						said = "open"
					} catch (e) { said = String(e) }
					await fetch("/after?" + encodeURIComponent(said))
				})()</script>`, url, hash)
			})
			mux.HandleFunc("/after", func(_ http.ResponseWriter, r *http.Request) { after <- r.URL.RawQuery + " " + r.Header.Get("Cookie") })
			pages := httptest.NewServer(mux)
			defer pages.Close()
			browser(t, pages.URL+"/")
			select {
			case said := <-after:
				assert.Equal(t, "open page=1", said, "a cookie is stored by the page, and none by the session")
			case <-time.After(time.Minute):
				t.Fatal("the page has not said what became of its session")
			}
		})
	}
}
