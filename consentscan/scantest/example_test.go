package scantest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/scantest"
)

// shop is a site, as its main function makes it.
func shop() (*consent.Middleware, http.Handler) { return nil, nil }

// A site's test opens it in a browser, in every state of consent.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestInABrowser(t *testing.T)
		mw, handler := shop()
		scantest.Run(t, handler, scantest.Options{Middleware: mw})
	}
}

// A state is a visitor. This one is under a law that asks nobody first, and has Sec-GPC on.
func ExampleState() {
	state := scantest.State{Name: "California", Header: map[string]string{"CF-IPCountry": "US"}, GPC: true}
	fmt.Println(state.Name, state.Answered)
	// Output: California false
}

func ExampleSubsets() {
	for _, state := range scantest.Subsets(consent.Statistics, consent.ThirdParty) {
		fmt.Println(state.Name)
	}
	// Output:
	// refused
	// only statistics
	// only third-party
	// only statistics, third-party
}

// Options say where the browser finds the site, and which pages it opens.
func ExampleOptions() {
	o := scantest.Options{URL: "https://shop.example", Pages: []string{"/", "/basket"}}
	fmt.Println(o.URL, len(o.Pages))
	// Output: https://shop.example 2
}
