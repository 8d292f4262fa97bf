// Command cmd sets what a package of its module sets, as far as it calls that.
package main

import (
	"net/http"

	"example.com/sites/program/inner"
)

func main() { http.ListenAndServe("", http.HandlerFunc(inner.Home)) }
