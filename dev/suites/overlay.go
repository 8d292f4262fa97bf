package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const interposedPath = "github.com/cookiecharter/consent/dev/suites/interposed"

// hook is added to net/http.
const hook = `package http

// Interpose returns the handler that a Server serves in place of the one it has.
var Interpose = func(h Handler) Handler { return h }
`

// An overlay is what the go command compiles in place of files that are on the
// disk (go help build, -overlay): their paths, and the paths of what replaces
// them.
type overlay struct {
	dir     string // holds the replacements
	Replace map[string]string
}

// put has the go command read text in place of the file at path, which need not
// exist.
func (o *overlay) put(path, text string) error {
	replacement := filepath.Join(o.dir, fmt.Sprintf("%d.go", len(o.Replace)))
	o.Replace[path] = replacement
	return os.WriteFile(replacement, []byte(text), 0o600)
}

// write returns the path of the file that -overlay takes.
func (o *overlay) write() (string, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	path := filepath.Join(o.dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

// newOverlay interposes the middleware in net/http, and in the tests of s that
// lie below module.
func newOverlay(dir, goroot, module string, s suite) (*overlay, error) {
	o := &overlay{dir: dir, Replace: make(map[string]string)}
	server := filepath.Join(goroot, "src", "net", "http", "server.go")
	source, err := os.ReadFile(server)
	if err != nil {
		return nil, err
	}
	text, err := interposeServer(string(source))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(o.put(server, text), o.put(filepath.Join(filepath.Dir(server), "interpose.go"), hook)); err != nil {
		return nil, err
	}

	begun := make(map[string]bool) // directories whose tests import the middleware already
	root := filepath.Join(module, filepath.FromSlash(strings.TrimSuffix(s.packages, "...")))
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		below, err := filepath.Rel(module, path)
		if err != nil {
			return err
		}
		isTest := strings.HasSuffix(path, "_test.go")
		if !isTest && !slices.Contains(s.support, filepath.ToSlash(below)) {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, name, err := interposeCalls(string(source), s.calls)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if text != string(source) {
			if err := o.put(path, text); err != nil {
				return err
			}
		}
		if dir := filepath.Dir(path); isTest && !begun[dir] {
			begun[dir] = true
			return o.put(filepath.Join(dir, "interposed_test.go"),
				fmt.Sprintf("package %s_test\n\nimport _ %q\n", strings.TrimSuffix(name, "_test"), interposedPath))
		}
		return nil
	})
	return o, err
}

// interposeServer returns net/http's server.go, with Interpose around the
// handler where a Server calls it: HTTP/1 and HTTP/2 share that line.
func interposeServer(source string) (string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "server.go", source, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	for _, declared := range file.Decls {
		method, ok := declared.(*ast.FuncDecl)
		if !ok || method.Name.Name != "ServeHTTP" || method.Recv == nil || len(method.Body.List) == 0 {
			continue
		}
		if receiver, ok := method.Recv.List[0].Type.(*ast.Ident); !ok || receiver.Name != "serverHandler" {
			continue
		}
		last := method.Body.List[len(method.Body.List)-1]
		from, to := files.Position(last.Pos()).Offset, files.Position(last.End()).Offset
		const call = "handler.ServeHTTP(rw, req)"
		if source[from:to] != call {
			return "", fmt.Errorf("net/http: serverHandler.ServeHTTP ends with %s, not with %s", source[from:to], call)
		}
		return source[:from] + "Interpose(handler).ServeHTTP(rw, req)" + source[to:], nil
	}
	return "", errors.New("net/http: no method serverHandler.ServeHTTP")
}

// interposeCalls returns the source of a test with package interposed around
// what its calls of these names call, and the name of its package. Each line
// keeps its number.
func interposeCalls(source string, names []string) (text, packageName string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return "", "", err
	}
	type insertion struct {
		at   int
		text string
	}
	var insertions []insertion
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		name := ""
		switch called := call.Fun.(type) {
		case *ast.Ident:
			name = called.Name
		case *ast.SelectorExpr:
			name = called.Sel.Name
		}
		if slices.Contains(names, name) {
			insertions = append(insertions,
				insertion{files.Position(call.Fun.Pos()).Offset, "interposed." + name + "("},
				insertion{files.Position(call.Fun.End()).Offset, ")"})
		}
		return true
	})
	if len(insertions) > 0 {
		insertions = append(insertions, insertion{files.Position(file.Name.End()).Offset, fmt.Sprintf("; import interposed %q", interposedPath)})
	}
	slices.SortStableFunc(insertions, func(a, b insertion) int { return b.at - a.at })
	for _, i := range insertions {
		source = source[:i.at] + i.text + source[i.at:]
	}
	return source, file.Name.Name, nil
}
