package consentcaddy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/declare"
	"github.com/cookiecharter/consent/proxy/site"
)

// declarations reads the file of declarations.
func (c *checked) declarations(name string) *consent.Registry {
	if name == "" {
		c.wrong("declarations", "is missing; it is the path of a file in YAML or JSON")
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		c.wrongAll("declarations", err)
		return nil
	}
	defer file.Close()
	registry, err := declare.Read(file)
	for _, err := range joined.Split(err) {
		if m, is := errors.AsType[*consent.DocumentError](err); is {
			c.wrong("declarations", "%s:%d: %s", name, m.Line, strings.TrimPrefix(m.Path+": "+m.Reason, ": "))
		} else {
			c.wrong("declarations", "%s: %v", name, err)
		}
	}
	return registry
}

// keys reads those of a file and those that are given.
func (c *checked) keys(fileOption, file, option string, given []string) (keys [][]byte) {
	if file != "" {
		read, err := site.ReadKeys(file)
		c.wrongAll(fileOption, err)
		keys = read
	}
	if len(given) > 0 {
		read, err := site.ParseKeys([]byte(strings.Join(strings.Fields(strings.Join(given, " ")), "\n")))
		c.wrongAll(option, err)
		keys = append(keys, read...)
	}
	return keys
}

// maxFile is more than any style sheet has.
const maxFile = 1 << 20

func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	return data, err
}

// checkLedger finds the usual mistake with a ledger in a file. Whatever else is wrong shows
// when the ledger is opened, and then Caddy may already have begun to listen.
func (c *checked) checkLedger(url string) {
	if url == "" || strings.HasPrefix(url, "postgres:") || strings.HasPrefix(url, "postgresql:") {
		return
	}
	folder := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
	if info, err := os.Stat(folder); err != nil {
		c.wrongAll("ledger", err)
	} else if !info.IsDir() {
		c.wrong("ledger", "%s is no folder", folder)
	}
}
