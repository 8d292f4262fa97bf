package main

import (
	"bytes"
	"embed"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/declare"
)

// examples are the files that ship with the program.
//
//go:embed declarations/opendata.yaml declarations/shop.yaml
var examples embed.FS

// usual returns what both files declare. It holds where nobody has named a file, so that
// somebody who tries the program sees its work; a site declares its own.
func usual() (*consent.Registry, error) {
	var cookies []consent.Cookie
	var providers []consent.Provider
	for _, name := range []string{"declarations/opendata.yaml", "declarations/shop.yaml"} {
		document, err := examples.ReadFile(name)
		if err != nil {
			return nil, err
		}
		registry, err := declare.Read(bytes.NewReader(document))
		if err != nil {
			return nil, err
		}
		cookies, providers = append(cookies, registry.Cookies()...), append(providers, registry.Providers()...)
	}
	registry, err := consent.NewRegistry(cookies...)
	if err != nil {
		return nil, err
	}
	return registry.WithProviders(providers...)
}
