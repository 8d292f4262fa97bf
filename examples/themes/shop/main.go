// Command shop shows the charter in the colours of a shop, without a template.
package main

import "github.com/cookiecharter/consent/examples/themes/internal/demo"

func main() { demo.Run("shop", theme()) }
