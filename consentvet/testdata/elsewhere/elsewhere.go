// Package elsewhere declares a cookie that a script sets.
package elsewhere

import "github.com/cookiecharter/consent"

var registry = consent.MustRegistry(consent.Cookie{Name: "_ga"}) // consentvet: set elsewhere
