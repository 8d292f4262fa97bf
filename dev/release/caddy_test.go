package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// xcaddy is the program that builds Caddy with modules.
const xcaddy = "github.com/caddyserver/xcaddy/cmd/xcaddy@v0.4.5"

// xcaddy makes a program that imports Caddy and the module, asks go get for both, and
// compiles it: what a module replaces does not count there.
func (r *rehearsal) isBuiltIntoCaddy(t *testing.T) {
	server := "github.com/caddyserver/caddy/v2@" + strings.TrimSpace(command(t, filepath.Join(root, "caddy"), nil, "go", "list", "-m", "-f", "{{.Version}}", "github.com/caddyserver/caddy/v2"))
	module := "github.com/cookiecharter/consent/caddy"
	folder := t.TempDir()
	env := append(r.env(t, setting(t, "GOPROXY")), "GOBIN="+folder)
	if os.Getenv(compile) != "" {
		command(t, folder, env, "go", "install", xcaddy)
		command(t, folder, env, "./xcaddy", "build", strings.Split(server, "@")[1], "--with", module+"@"+r.version)
		assert.Contains(t, command(t, folder, nil, "./caddy", "list-modules", "--versions"), "http.handlers.consent "+r.version)
		return
	}
	command(t, folder, env, "go", "mod", "init", "caddy")
	program := "package main\n\nimport (\n\t_ \"github.com/caddyserver/caddy/v2/cmd\"\n\t_ \"" + module + "\"\n)\n\nfunc main() {}\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600))
	command(t, folder, env, "go", "get", server, module+"@"+r.version)
	assert.Contains(t, command(t, folder, env, "go", "list", "-deps", "."), "consent/proxy/declare")
}
