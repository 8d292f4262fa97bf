package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// A TLS says how visitors come by https: with a certificate in files, or with one that is
// asked for. The zero value is plain http.
type TLS struct {
	// Certificate and Key are files in PEM. A change of them counts within seconds.
	Certificate, Key string

	// ACME asks an authority for certificates (RFC 8555). Nil means no.
	ACME *ACME

	// Redirect is an address, such as ":80", on which visitors who come by http are sent
	// to https. An authority may check there too. "" for none.
	Redirect string
}

// An ACME says for which hosts certificates are asked for, and of whom. By asking, the
// operator agrees to the authority's terms. The authority connects to port 443 of the hosts
// (RFC 8737), or to port 80 if there is a TLS.Redirect (RFC 8555 section 8.3).
type ACME struct {
	Hosts     []string // required
	Cache     string   // the folder in which certificates and the account's key stay. Required: authorities bound how often one asks
	Email     string   // for the authority; "" for none
	Directory string   // the authority's address; "" for Let's Encrypt
}

// config returns the settings of TLS, nil for none, and what answers an authority's checks
// on http.
func (t TLS) config(logger *slog.Logger) (*tls.Config, func(http.Handler) http.Handler, error) {
	if err := t.check(); err != nil {
		return nil, nil, err
	}
	plain := func(next http.Handler) http.Handler { return next }
	switch {
	case t.ACME != nil:
		m := &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(t.ACME.Cache),
			HostPolicy: autocert.HostWhitelist(t.ACME.Hosts...),
			Email:      t.ACME.Email,
			Client:     &acme.Client{DirectoryURL: t.ACME.Directory},
		}
		if t.ACME.Directory == "" {
			m.Client.DirectoryURL = autocert.DefaultACMEDirectory
		}
		config := m.TLSConfig()
		config.MinVersion = tls.VersionTLS12
		return config, m.HTTPHandler, nil
	case t.Certificate != "":
		files := &files{certificate: t.Certificate, key: t.Key, log: logger}
		if err := files.load(); err != nil {
			return nil, nil, fmt.Errorf("TLS: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get}, plain, nil
	default:
		return nil, plain, nil
	}
}

func (t TLS) check() error {
	var mistakes []error
	wrong := func(what string) { mistakes = append(mistakes, errors.New("TLS: "+what)) }
	if (t.Certificate == "") != (t.Key == "") {
		wrong("Certificate and Key belong together")
	}
	if t.ACME != nil && t.Certificate != "" {
		wrong("either Certificate or ACME, not both")
	}
	if t.ACME != nil && len(t.ACME.Hosts) == 0 {
		wrong("ACME.Hosts names no host")
	}
	if t.ACME != nil && t.ACME.Cache == "" {
		wrong("ACME.Cache names no folder")
	}
	if t.Redirect != "" && t.ACME == nil && t.Certificate == "" {
		wrong("Redirect leads to https, and there is none")
	}
	return errors.Join(mistakes...)
}

// files are a certificate that is read again if it changes.
type files struct {
	certificate, key string
	log              *slog.Logger
	mu               sync.Mutex
	loaded           *tls.Certificate
	changed          [2]time.Time // of what was read last, also if it was none
	looked           time.Time
}

// lookEvery is how often the files are looked at, if visitors come that often.
const lookEvery = time.Second

// get returns the certificate. If the files have changed and are none, the one before
// stays: they may be half written.
func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) > lookEvery {
		f.looked = now
		if f.times() != f.changed {
			if err := f.load(); err != nil {
				f.log.Warn("the certificate has changed and cannot be read; the one before stays", "reason", err.Error())
			}
		}
	}
	return f.loaded, nil
}

func (f *files) load() error {
	f.changed = f.times()
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return err
	}
	f.loaded = &pair
	return nil
}

func (f *files) times() (changed [2]time.Time) {
	for i, name := range []string{f.certificate, f.key} {
		if info, err := os.Stat(name); err == nil {
			changed[i] = info.ModTime()
		}
	}
	return changed
}
