package main

import (
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// bundle makes one script and one style sheet of a page's source and of the packages that it
// imports, as a site that is built for production does.
func bundle(packages, source string) (script, style []byte, err error) {
	code, err := pages.ReadFile("pages/" + source)
	if err != nil {
		return nil, nil, err
	}
	folder, err := filepath.Abs(packages)
	if err != nil {
		return nil, nil, err
	}
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: string(code), Sourcefile: source, ResolveDir: folder, Loader: api.LoaderJSX},
		Bundle: true, Outfile: "page.js", JSX: api.JSXAutomatic, Format: api.FormatIIFE, Target: api.ES2022,
		Define:           map[string]string{"process.env.NODE_ENV": `"production"`},
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
	})
	if len(result.Errors) > 0 {
		return nil, nil, fmt.Errorf("%s: %v", source, result.Errors[0].Text)
	}
	for _, file := range result.OutputFiles {
		if filepath.Ext(file.Path) == ".css" {
			style = file.Contents
		} else {
			script = file.Contents
		}
	}
	return script, style, nil
}

// builtFiles serves what is made of a page's source, under its name.
func builtFiles(packages, name string) (map[string]http.Handler, error) {
	script, style, err := bundle(packages, name+".jsx")
	if err != nil {
		return nil, err
	}
	file := func(contentType string, content []byte) http.Handler {
		return lasting(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(content) // an error is the browser's leaving
		}))
	}
	return map[string]http.Handler{
		"GET /built/" + name + ".js":  file("text/javascript; charset=utf-8", script),
		"GET /built/" + name + ".css": file("text/css; charset=utf-8", style),
	}, nil
}
