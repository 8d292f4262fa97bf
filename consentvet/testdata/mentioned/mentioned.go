// Package mentioned sets a cookie in a way that nobody can foresee.
package mentioned

import (
	"net/http"
	"os/exec"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "odd"},  // want `cookie "odd" is declared, and whether anything sets it cannot be checked: its name stands at mentioned.go:16:6`
	consent.Cookie{Name: "read"}, // want `cookie "read" is declared but nothing sets it`
)

func home(w http.ResponseWriter, r *http.Request) {
	_ = exec.Command("set", "odd").Run()
	_, _ = r.Cookie("read")
}
