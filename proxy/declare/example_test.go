package declare_test

import (
	"fmt"
	"strings"

	"github.com/cookiecharter/consent/proxy/declare"
)

func ExampleRead() {
	registry, err := declare.Read(strings.NewReader(`
cookies:
  - provider: Example
    name: sessionid      # set by the shop itself
    category: necessary
    lifetime: 14 days
    purpose:
      en: Keeps the basket from page to page.
`))
	if err != nil {
		panic(err) // every mistake, with its line
	}
	fmt.Println(registry.Cookies()[0].Name, registry.Cookies()[0].Lifetime)

	_, err = declare.Read(strings.NewReader("cookies:\n  - name: _ga\n    lifetime: 13 moons\n"))
	fmt.Println(err)
	// Output:
	// sessionid 336h0m0s
	// consent: line 2: cookies[0].provider: is empty
	// consent: line 2: cookies[0].purpose: is empty
	// consent: line 2: cookies[0].category: is empty
	// consent: line 3: cookies[0].lifetime: "13 moons" is neither "session" nor a number and a unit, such as "13 months", "14 days" or "30 minutes"
}
