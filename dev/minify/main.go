// Minify writes the script of package charter, and the styles that pages hold, in the form
// in which they travel. Run it by go generate ./charter.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: minify FOLDER")
	}
	made, err := minify(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range made {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// minify returns the files by name that it makes of those in a folder.
func minify(folder string) (map[string][]byte, error) {
	made := make(map[string][]byte)
	return made, errors.Join(scripts(folder, made), signals(folder, made), styles(folder, made))
}

// read returns files of a folder, one after the other.
func read(folder string, names ...string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		all.Write(content)
	}
	return all.String(), nil
}

func scripts(folder string, made map[string][]byte) error {
	for name, sources := range map[string][]string{
		"script.min.js":         {"script.js"},
		"script-storage.min.js": {"storage.js", "script.js"}, // for sites that declare storage: the others do without its 400 bytes
		"head.min.js":           {"head.js"},
		"head-guard.min.js":     {"head.js", "guard.js"},
		"head-storage.min.js":   {"head.js", "guard.js", "guard-storage.js"},
	} {
		source, err := read(folder, sources...)
		if err != nil {
			return err
		}
		// The script is a function. The server calls it with the declarations.
		code, err := transform(api.LoaderJS, "("+cmp.Or(parameters[name], "C")+" => {"+source+"})(DECLARED)")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		function, _, isCall := strings.Cut(code, "(DECLARED)")
		if !isCall {
			return fmt.Errorf("%s: no call is left of it", name)
		}
		made[name] = []byte(function)
	}
	return nil
}

func signals(folder string, made map[string][]byte) error {
	paths, err := filepath.Glob(filepath.Join(folder, "signals", "*.js"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if strings.HasSuffix(path, ".min.js") {
			continue
		}
		name := filepath.Join("signals", filepath.Base(path))
		source, err := read(folder, name)
		if err != nil {
			return err
		}
		// The source is an expression, which nothing would be left of but for a use.
		code, err := transform(api.LoaderJS, "USED("+source+")")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		made[strings.TrimSuffix(name, ".js")+".min.js"] = []byte(strings.TrimSuffix(strings.TrimPrefix(code, "USED("), ");\n"))
	}
	return nil
}

func styles(folder string, made map[string][]byte) error {
	names := []string{"banner", "style"}
	for _, layout := range []string{"top-bar", "box", "top-box", "card", "button", "whole"} {
		names = append(names, "layouts/"+layout)
	}
	for _, name := range names {
		content, err := read(folder, name+".css")
		if err != nil {
			return err
		}
		css, err := transform(api.LoaderCSS, content)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		made[name+".min.css"] = []byte(strings.TrimSpace(css))
	}
	return nil
}

// parameters are those of the functions that have others than the declarations, C.
var parameters = map[string]string{"head.min.js": "(cookies, revision, signals, law)", "head-guard.min.js": "(cookies, revision, signals, guard, law)", "head-storage.min.js": "(cookies, revision, signals, guard, law)"}

// engines are those in which the styles still look right: esbuild unfolds nested rules for
// them.
var engines = []api.Engine{{Name: api.EngineChrome, Version: "105"}, {Name: api.EngineFirefox, Version: "110"}, {Name: api.EngineSafari, Version: "15.4"}}

func transform(loader api.Loader, source string) (string, error) {
	result := api.Transform(source, api.TransformOptions{
		Loader: loader, Target: api.ES2022, Engines: engines, Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
	})
	if len(result.Errors) > 0 {
		return "", fmt.Errorf("%v", result.Errors[0].Text)
	}
	return string(result.Code), nil
}
