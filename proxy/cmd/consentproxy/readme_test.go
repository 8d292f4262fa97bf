package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
	"github.com/cookiecharter/consent/proxy/declare"
	"github.com/cookiecharter/consent/proxy/internal/config"
)

// blocks returns the examples of the README in YAML.
func blocks(t *testing.T) (embedded, declarations, file string, readme string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, found, 3, "what pages load, the declarations, and the file")
	return found[0][1], found[1][1], found[2][1], string(text)
}

func TestTheReadmesDeclarationsAreRight(t *testing.T) {
	_, declarations, _, _ := blocks(t)
	registry, err := declare.Read(strings.NewReader(declarations))
	require.NoError(t, err)
	assert.Len(t, registry.Cookies(), 2)
}

func TestTheReadmesFrameWaitsForWhatIsDeclaredNextToIt(t *testing.T) {
	embedded, _, _, readme := blocks(t)
	registry, err := declare.Read(strings.NewReader("cookies:\n" + embedded))
	require.NoError(t, err)
	require.Len(t, registry.Cookies(), 1)
	c := registry.Cookies()[0]
	gate := fmt.Sprintf(`<template data-consent="%s" data-provider="%s"`, c.Category, c.Provider)
	_, after, found := strings.Cut(readme, gate)
	require.True(t, found, gate)
	require.Len(t, c.Origins, 1)
	assert.Less(t, strings.Index(after, `<iframe src="`+c.Origins[0]+"/"), strings.Index(after, "</template>"))
	assert.Contains(t, after, `<iframe src="`+c.Origins[0]+"/")
}

// controller returns who answers for the records in the ledger's README.
func controller(t *testing.T) string {
	text, err := os.ReadFile("../../../ledger/README.md")
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(text)
	require.NotNil(t, found)
	return string(found[1])
}

func TestTheReadmesFileIsRightAndHasEveryField(t *testing.T) {
	_, _, file, _ := blocks(t)
	dir := t.TempDir()
	key := strings.Repeat("k", 32)
	certificate, secret := newCertificate(t)
	for name, content := range map[string]string{
		"controller.json": controller(t), "consentproxy.yaml": file, "keys": key, "ledger.keys": key, "style.css": "b{}", "cert.pem": certificate, "key.pem": secret,
		"cookies.yaml": "cookies:\n  - {provider: P, name: chat, category: live-chat, purpose: {en: x}}\n  - {provider: G, name: ad, category: advertising, purpose: {en: x}}\n" +
			"  - {provider: M, name: visits, category: statistics, purpose: {en: x}}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "texts"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "texts/fr.json"), []byte(`{"Refuse": "Non merci"}`), 0o600))
	t.Setenv("CONSENT_KEYS", key)
	_, err := config.Read(filepath.Join(dir, "consentproxy.yaml"), nil)
	assert.NoError(t, err)

	schema, err := os.ReadFile("../../schema/consentproxy.schema.json")
	require.NoError(t, err)
	var root map[string]any
	require.NoError(t, json.Unmarshal(schema, &root))
	shows(t, root, file, "")
}

// shows asserts that a file names each field of a schema, be it in a comment.
func shows(t *testing.T, schema map[string]any, file, path string) {
	fields, _ := schema["properties"].(map[string]any)
	for name, field := range fields {
		if name == "$schema" {
			continue
		}
		assert.True(t, regexp.MustCompile(`(^|[\s{,#])`+name+`:`).MatchString(file), "the field %s%s", path, name)
		within := field.(map[string]any)
		if items, isList := within["items"].(map[string]any); isList {
			within = items
		}
		shows(t, within, file, path+name+".")
	}
}

// The reasons are those of package consent.
func TestTheReadmeSaysWhatToDoForEachReason(t *testing.T) {
	_, _, _, readme := blocks(t)
	events, err := os.ReadFile("../../../events.go")
	require.NoError(t, err)
	reasons := regexp.MustCompile(`(?m)^\tReason\w+ +Reason = "([a-z]+)"`).FindAllStringSubmatch(string(events), -1)
	require.Greater(t, len(reasons), 8)
	_, table, _ := strings.Cut(readme, "| `reason` of a cookie |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, reason := range reasons {
		assert.Contains(t, table, "`"+reason[1]+"`")
	}
}

func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(secret)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestTheReadmeHasEveryFlag(t *testing.T) {
	_, _, _, readme := blocks(t)
	help, err := command(t, "-h").CombinedOutput()
	require.NoError(t, err)
	flags := regexp.MustCompile(`(?m)^  (-[a-z-]+)`).FindAllStringSubmatch(string(help), -1)
	require.Greater(t, len(flags), 8, "%s", help)
	for _, flag := range flags {
		assert.True(t, regexp.MustCompile("(`|consentproxy )"+flag[1]+"[ `]").MatchString(readme), flag[1])
	}
}

var update = flag.Bool("update", false, "write the pictures of docs/pictures anew")

// The pictures are drawn each time, and written when they are asked for:
//
//	go test -run Pictures -update ./proxy/cmd/consentproxy
func TestPicturesOfTheDeclarationsThatShip(t *testing.T) {
	chromium := browsertest.FindChromium(t)
	_, _, _, readme := blocks(t)
	for _, picture := range []struct{ name, site, path, language, see string }{
		{"opendata", "Données de Valombre", charterPath, "fr", "1100,1750"},
		{"shop", "The shop", "/", "en", "1280,800"},
	} {
		declared, err := filepath.Abs("declarations/" + picture.name + ".yaml")
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), defaultFile)
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "targets: [{to: %q}]\ninsecure: true\ninject: true\ndeclarations: %q\ncharter: {name: %q}\n",
			newSite(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				io.WriteString(w, shopPage)
			}), declared, picture.site), 0o600))
		logger := slog.New(slog.DiscardHandler)
		handler, err := newHandler(options{config: file}, logger)
		require.NoError(t, err)
		address := serve(t, handler, logger, time.Minute)
		shot := filepath.Join(t.TempDir(), "shot.png")
		arguments := append([]string{"--user-data-dir=" + t.TempDir(), "--screenshot=" + shot, "--hide-scrollbars", "--virtual-time-budget=5000",
			"--accept-lang=" + picture.language, "--lang=" + picture.language, "--window-size=" + picture.see}, browsertest.ChromiumFlags...)
		out, err := exec.CommandContext(t.Context(), chromium, append(arguments, address+picture.path)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		drawn, err := os.ReadFile(shot)
		require.NoError(t, err)
		assert.Less(t, len(drawn), 200<<10)
		link := fmt.Sprintf("../docs/pictures/declarations-%s.png", picture.name)
		name := filepath.Join("../..", link) // the README lies there
		if *update {
			require.NoError(t, os.WriteFile(name, drawn, 0o644))
		}
		assert.FileExists(t, name)
		assert.Contains(t, readme, link)
	}
}

const shopPage = `<!doctype html><html lang="en"><head><title>Shop</title><style>
body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#222}header{background:#234;color:#fff;padding:1rem 2rem}
main{display:grid;grid-template-columns:repeat(4,1fr);gap:1.5rem;padding:2rem}div{background:#eef1f4;height:11rem;border-radius:6px}
</style></head><body><header><b>Shop</b></header><main><div></div><div></div><div></div><div></div><div></div><div></div><div></div><div></div></main></body></html>`
