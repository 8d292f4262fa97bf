package inventory

import (
	"go/token"
	"regexp"
	"runtime"
	"strings"
)

// packageOf returns the name of the package whose code is at pc, as far as its path tells
// it: a program's is main, and the last element that is not a version names any other. It
// is main if that is no name.
func packageOf(pc uintptr) string {
	f := runtime.FuncForPC(pc)
	if f == nil {
		return "main"
	}
	path := f.Name() // such as "example.com/shop/v2/internal/web.New"
	slash := strings.LastIndex(path, "/") + 1
	last, _, _ := strings.Cut(path[slash:], ".")
	last, _, _ = strings.Cut(last, "%2e") // the dot of gopkg.in/yaml.v3
	if version.MatchString(last) {
		path = strings.TrimSuffix(path[:slash], "/")
		last = path[strings.LastIndex(path, "/")+1:]
	}
	if !token.IsIdentifier(last) || last == "_" {
		return "main"
	}
	return last
}

// version is the last element of the path of a module's later major version.
var version = regexp.MustCompile(`^v[0-9]+$`)
