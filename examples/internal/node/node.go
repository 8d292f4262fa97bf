// Package node takes what the examples show in a browser from npm's packages.
package node

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// errMissing says how to get the packages.
var errMissing = errors.New("examples/node_modules is missing: run npm ci --ignore-scripts --prefix examples")

// folder returns where the packages are: a program may run in the repository's folder, in
// examples, or in its own, as in a test.
func folder() (string, error) {
	for _, name := range []string{"node_modules/htmx.org", "../node_modules/htmx.org", "examples/node_modules/htmx.org"} {
		if _, err := os.Stat(name); err == nil {
			return filepath.Abs(filepath.Dir(name))
		}
	}
	return "", errMissing
}

// File returns a file of a package.
func File(name string) ([]byte, error) {
	from, err := folder()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(from, name))
}

// Bundle returns one script made of a module with JSX, and of the packages that it
// imports.
func Bundle(source string) ([]byte, error) {
	from, err := folder()
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: source, ResolveDir: filepath.Dir(from), Loader: api.LoaderJSX},
		Bundle: true, JSX: api.JSXAutomatic, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Define: map[string]string{
			"process.env.NODE_ENV": `"production"`,
			"__VUE_OPTIONS_API__":  "false", "__VUE_PROD_DEVTOOLS__": "false", "__VUE_PROD_HYDRATION_MISMATCH_DETAILS__": "false",
		},
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(result.Errors[0].Text)
	}
	return result.OutputFiles[0].Contents, nil
}
