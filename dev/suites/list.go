package main

// A suite is the tests of one module.
type suite struct {
	module, version string
	packages        string // below the module, as a pattern

	// calls are the functions and methods whose calls from a test go through
	// the middleware, as if a server had made them. Package interposed has a
	// function of the same name for each.
	calls []string

	// support are files of the suite that are not named as tests and call
	// handlers all the same.
	support []string

	// skip is a pattern for tests that break off the whole suite bare, and so
	// would hide those behind them.
	skip string
}

var suites = []suite{
	{module: "github.com/gorilla/websocket", version: "v1.5.3", packages: "./...", calls: []string{"ServeHTTP"}},
	{module: "github.com/coder/websocket", version: "v1.8.15", packages: "./...", calls: []string{"ServeHTTP", "Accept"},
		support: []string{"internal/test/wstest/pipe.go"}},
	{module: "github.com/klauspost/compress", version: "v1.20.3", packages: "./gzhttp/...", calls: []string{"ServeHTTP"}},
	{module: "github.com/go-chi/chi/v5", version: "v5.5.0", packages: "./...", calls: []string{"ServeHTTP"}},
	{module: "github.com/gin-gonic/gin", version: "v1.12.0", packages: "./...", calls: []string{"ServeHTTP"},
		// The first takes the connection to speak HTTP/2 on it, which the middleware refuses:
		// nothing there would pass the filter. The second, run by root, closes / to all others.
		skip: "^(TestH2c|TestSaveUploadedCreateFailed)$"},
	{module: "github.com/labstack/echo/v4", version: "v4.16.0", packages: "./...", calls: []string{"ServeHTTP"}},
	{module: "github.com/labstack/echo/v5", version: "v5.4.4", packages: "./...", calls: []string{"ServeHTTP"}},
	{module: "github.com/alexedwards/scs/v2", version: "v2.9.0", packages: "./...", calls: []string{"ServeHTTP"}},
	{module: "github.com/justinas/nosurf", version: "v1.2.0", packages: "./...", calls: []string{"ServeHTTP"}},
	{module: "github.com/gorilla/csrf", version: "v1.7.3", packages: "./...", calls: []string{"ServeHTTP"},
		skip: "^TestGenerateRandomBytes$"}, // a crypto/rand.Reader that fails ends the program since Go 1.24
	{module: "github.com/gorilla/sessions", version: "v1.4.0", packages: "./...", calls: []string{"Save"}},
}
