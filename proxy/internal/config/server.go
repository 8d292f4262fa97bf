package config

import (
	"cmp"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/cookiecharter/consent/proxy/internal/server"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
)

// server makes the settings of the addresses on which the proxy listens.
func (r *reading) server() {
	f, s := &r.settings.File, &r.settings.Server
	f.Listen = cmp.Or(f.Listen, "localhost:8080")
	f.Log.Format = cmp.Or(f.Log.Format, "text")
	r.address("listen", f.Listen)
	r.address("admin", f.Admin)
	r.address("tls.redirect", f.TLS.Redirect)
	if !slices.Contains([]string{"text", "json"}, f.Log.Format) {
		r.wrong("log.format", "%q is neither \"text\" nor \"json\"", f.Log.Format)
	}
	r.tls()
	s.Addr, s.Admin.Addr = f.Listen, f.Admin
	s.Limits = server.Limits{Head: f.Limits.Head, Idle: f.Limits.Idle, Piece: f.Limits.Piece, Grace: f.Limits.Grace}
	s.Access = server.Access{Query: f.Log.Queries, WholeAddress: f.Log.WholeAddresses}
	s.Trusted, s.Believed = r.settings.Backend.Trusted, r.settings.Backend.Believed
}

func (r *reading) tls() {
	given, to := r.settings.TLS, &r.settings.Server.TLS
	acme := given.ACME
	isFiles, isACME := given.Certificate+given.Key != "", len(acme.Hosts) > 0
	to.Certificate, to.Key, to.Redirect = r.path(given.Certificate), r.path(given.Key), given.Redirect
	if isFiles {
		if _, err := tls.LoadX509KeyPair(to.Certificate, to.Key); err != nil {
			r.wrong("tls", "%v", err)
		}
	}
	if isACME {
		to.ACME = &server.ACME{Hosts: acme.Hosts, Cache: r.path(acme.Cache), Email: acme.Email, Directory: acme.Directory}
	}
	switch {
	case isFiles && isACME:
		r.wrong("tls.acme", "asks for certificates, and \"certificate\" names one; take one of the two")
	case isACME && acme.Cache == "":
		r.wrong("tls.acme.cache", "is missing; without it each start asks for new certificates, and the authority soon refuses")
	case !isACME && acme.Email+acme.Directory+acme.Cache != "":
		r.wrong("tls.acme.hosts", "is missing")
	case !isFiles && !isACME && given.Redirect != "":
		r.wrong("tls.redirect", "sends visitors to https, and there is no certificate")
	}
	for i, host := range acme.Hosts {
		if !isHost(host) {
			r.wrong(yamldoc.Index("tls.acme.hosts", i), "%q is no host name such as \"www.example.org\"", host)
		}
	}
}

// address checks an address to listen on; "" is none.
func (r *reading) address(path, address string) {
	if address == "" {
		return
	}
	_, port, err := net.SplitHostPort(address)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		r.wrong(path, "%q is no address such as \":8080\" or \"localhost:8080\"", address)
	}
}

func isHost(name string) bool {
	return len(name) <= 253 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}
