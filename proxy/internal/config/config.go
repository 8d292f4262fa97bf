package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/document"
	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/declare"
	"github.com/cookiecharter/consent/proxy/internal/backend"
	"github.com/cookiecharter/consent/proxy/internal/server"
	"github.com/cookiecharter/consent/proxy/internal/trust"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
	"github.com/cookiecharter/consent/proxy/site"
)

// Settings are what a file amounts to.
type Settings struct {
	File
	Site    site.Config    // without what the program adds: Log, and what it observes
	Backend backend.Config // without the program's Injection and Log
	Server  server.Config  // addresses, limits and TLS; the rest is the program's
	OneRun  bool           // there is no key but that of this run
}

// Read reads the file of that name and the files that it names. The error joins every
// mistake, each a [*Mistake]. The key is for a file that names none, as in development.
func Read(name string, key []byte) (*Settings, error) {
	r := reading{list: list{file: name}, folder: filepath.Dir(name)}
	data, err := readBounded(name)
	if err != nil {
		r.wrong("", "%s", reasonOf(err))
		return nil, r.err()
	}
	root, mistakes := yamldoc.Parse(data)
	if root == nil {
		r.add(name, mistakes)
		return nil, r.err()
	}
	r.document = root
	r.decode(root, mistakes)
	if inline := root.Get("declarations"); inline != nil && inline.IsObject() {
		registry, mistakes := inline.Registry("declarations")
		r.add(name, mistakes)
		r.settings.Site.Consent.Registry = registry
	} else {
		r.declarations()
	}
	if r.settings.Keys == (Keys{}) && !r.settings.Insecure {
		r.wrong("keys", "is missing; \"openssl rand -hex 32 > keys\" makes a file of one key, for \"file\" here")
	}
	return r.rest(key)
}

// Make makes settings of what a command line says, as [Read] does of a file. Paths begin at
// the working directory. Declarations that it does not name are those given here. A
// [*Mistake] has neither file nor line.
func Make(file File, declared *consent.Registry, key []byte) (*Settings, error) {
	r := reading{settings: Settings{File: file}}
	if r.settings.Site.Consent.Registry = declared; file.Declarations != "" {
		r.settings.Site.Consent.Registry = nil
		r.declarations()
	}
	return r.rest(key)
}

// rest reads what the fields name, and checks them.
func (r *reading) rest(key []byte) (*Settings, error) {
	r.keys(key)
	r.addresses()
	r.site()
	r.server()
	if err := r.err(); err != nil {
		return nil, err
	}
	return &r.settings, nil
}

// maxBytes is one more than what package yamldoc reads, so that it sees that.
const maxBytes = 16<<20 + 1

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes))
}

// reasonOf leaves out what a mistake says anyway.
func reasonOf(err error) string {
	if path, is := errors.AsType[*fs.PathError](err); is {
		return fmt.Sprintf("cannot be read: %v", path.Err)
	}
	return err.Error()
}

// A reading is a file that is being read.
type reading struct {
	list
	folder   string // of the file
	settings Settings
}

// path returns the path of a file that the file names.
func (r *reading) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.folder, name)
}

// decode reads the fields. Declarations that stand in the file are not among them: they are
// read by themselves.
func (r *reading) decode(root *yamldoc.Value, mistakes []*yamldoc.Mistake) {
	fields := root
	if inline := root.Get("declarations"); inline != nil && inline.IsObject() {
		fields = root.Without("declarations")
	}
	text, lines := fields.JSON()
	read, err := document.Read(bytes.NewReader(text), &r.settings.File)
	if err == nil { // a reader of bytes has none
		err = read.Err()
	}
	mistakes = yamldoc.More(mistakes, yamldoc.Mistakes(err, lines))
	r.unread = make(map[string]bool)
	for _, m := range mistakes {
		r.unread[m.Path] = true
		if strings.HasPrefix(m.Path, "limits.") || m.Path == "ledger.retention" || m.Path == "ledger.wait" {
			m.Reason = noTime // that of a cookie has other words
		}
	}
	r.add(r.file, mistakes)
	for _, path := range []string{"decision.lifetime", "limits.head", "limits.idle", "limits.piece", "limits.dial", "limits.answer", "limits.grace", "ledger.retention", "ledger.wait"} {
		section, field, _ := strings.Cut(path, ".")
		if v := root.Get(section); v != nil && v.Get(field).IsText("session") {
			r.wrong(path, noTime)
		}
	}
}

// noTime says what a time is. For a cookie there is one more: the session.
const noTime = `is no time such as "30 seconds" or "6 months"`

// declarations reads the file that the file names.
func (r *reading) declarations() {
	name := r.path(r.settings.Declarations)
	if name == "" {
		r.wrong("declarations", "is missing; it is the path of a file, or an object with \"cookies\"")
		return
	}
	f, err := os.Open(name)
	if err != nil {
		r.wrong("declarations", "%s %s", name, reasonOf(err))
		return
	}
	defer f.Close()
	registry, err := declare.Read(f)
	r.settings.Site.Consent.Registry = registry
	var mistakes []*yamldoc.Mistake
	for _, err := range joined.Split(err) {
		if m, is := errors.AsType[*yamldoc.Mistake](err); is {
			mistakes = append(mistakes, m)
		} else {
			r.wrong("declarations", "%s %s", name, reasonOf(err))
		}
	}
	r.add(name, mistakes)
}

// keys reads the keys that sign decisions, and those of the ledger.
func (r *reading) keys(ofRun []byte) {
	f, s := &r.settings.File, &r.settings.Site
	s.Consent.Keys = r.secrets("keys", f.Keys)
	if f.Keys == (Keys{}) {
		r.settings.OneRun = true
		s.Consent.Keys = [][]byte{ofRun}
	}
	s.Ledger.Keys = r.secrets("ledger.keys", f.Ledger.Keys)
}

// secrets reads the keys at a path of the file.
func (r *reading) secrets(path string, from Keys) (keys [][]byte) {
	if from.File != "" {
		read, err := site.ReadKeys(r.path(from.File))
		r.wrongAll(path+".file", err)
		keys = read
	}
	if from.Env != "" {
		read, err := site.ParseKeys(bytes.Join(bytes.Fields([]byte(os.Getenv(from.Env))), []byte("\n")))
		if err != nil {
			r.wrongAll(path+".env", fmt.Errorf("%s: %w", from.Env, err))
		}
		keys = append(keys, read...)
	}
	return keys
}

// addresses reads the sites behind the proxy, and whose word about visitors counts.
func (r *reading) addresses() {
	f, to := &r.settings.File, &r.settings.Backend
	if len(f.Targets) == 0 {
		r.wrong("targets", "is missing; it is a list of sites, such as \"- to: http://localhost:8000\"")
	}
	for i, t := range f.Targets {
		path := yamldoc.Index("targets", i)
		u, err := backend.ParseTarget(t.To)
		r.wrongAll(path+".to", err)
		if t.Path != "" && t.Path[0] != '/' {
			r.wrong(path+".path", "%q does not begin with \"/\"", t.Path)
		}
		if t.Host != "" && !isHost(t.Host) {
			r.wrong(path+".host", "%q is no host name such as \"www.example.org\", without a port", t.Host)
		}
		for j, other := range f.Targets[:i] {
			if other.Host == t.Host && other.Path == t.Path {
				r.wrong(path, "is for the same requests as targets[%d]", j)
			}
		}
		to.Targets = append(to.Targets, backend.Target{Host: t.Host, Path: t.Path, URL: u})
	}
	for i, item := range f.Trusted {
		hops, err := trust.Parse(item)
		r.wrongAll(yamldoc.Index("trusted", i), err)
		to.Trusted = append(to.Trusted, hops...)
	}
	believed, err := trust.ParseHeaders(f.Believed...)
	r.wrongAll("believed", err)
	to.Believed = believed
	to.Limits = backend.Limits{Dial: f.Limits.Dial, Answer: f.Limits.Answer}
	to.CookieName = f.Decision.CookieName
}
