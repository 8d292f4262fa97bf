package consentcaddy_test

import (
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/caddyserver/caddy/v2/modules/metrics"
	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/servertest"
)

func TestCaddysMetricsHaveCookiesDecisionsAndEachLedger(t *testing.T) {
	folder := t.TempDir()
	first, second := filepath.Join(folder, "first.db"), "sqlite:"+filepath.Join(folder, "second.db")
	other, third := &server{address: servertest.FreeAddress(t)}, servertest.FreeAddress(t)
	site := func(address, ledger string) string {
		return address + " {\nhandle /metrics {\nmetrics\n}\nconsent {\n" + basics + "ledger " + ledger + "\n}\nheader +Set-Cookie _ga=1\nheader +Set-Cookie unknown=1\nrespond ok\n}\n"
	}
	caddyfile := site("ADDRESS", first) + site("http://"+other.address, second) + site("http://"+third, first)
	s := start(t, caddyfile)
	s.ask(t, "/")
	other.ask(t, "/")
	s.decide(t, "accept")
	told := s.figures(t)
	for _, line := range []string{
		`consent_cookies_total{cookie="_ga*",outcome="removed",reason="undecided"} 2`,
		`consent_cookies_total{cookie="unknown",outcome="removed",reason="undeclared"} 2`,
		`consent_decisions_total{action="form",allows="all"} 1`,
		`consent_ledger_records_total{ledger="` + first + `",outcome="written"} 1`,
		`consent_ledger_records_total{ledger="` + strings.TrimPrefix(second, "sqlite:") + `",outcome="written"} 0`,
	} {
		assert.Contains(t, told, line+"\n")
	}

	assert.NoError(t, s.load(caddyfile))
	told = s.figures(t)
	assert.NotContains(t, told, "consent_cookies_total{")
	assert.Contains(t, told, `consent_ledger_records_total{ledger="`+first+`",outcome="written"} 1`+"\n", "the ledger has gone on")
}

func TestNoPasswordOfALedgerIsInTheMetrics(t *testing.T) {
	nobody := servertest.FreeAddress(t)
	for address, place := range map[string]string{
		"postgres://shop:hunter2@" + nobody + "/books?password=hunter2&sslmode=disable":                                    nobody + "/books",
		`"host=` + strings.Replace(nobody, ":", " port=", 1) + ` user=shop password=hunter2 dbname=books sslmode=disable"`: "server",
	} {
		s := start(t, site("ledger "+address+" {\nwait 1ms\n}\nallow_undeclared\n", "metrics"))
		told := s.figures(t)
		assert.Contains(t, told, `consent_ledger_failing{ledger="`+place+`"} 1`+"\n")
		assert.NotContains(t, told, "hunter2")
	}
}

// figures returns what Prometheus reads of this module.
func (s *server) figures(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(s.ask(t, "/metrics").body) {
		if strings.HasPrefix(line, "consent_") {
			b.WriteString(line)
		}
	}
	return b.String()
}
