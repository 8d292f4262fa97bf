// Command dsfr shows the charter in the design system of the French state.
package main

import "github.com/cookiecharter/consent/examples/themes/internal/demo"

func main() { demo.Run("dsfr", theme()) }
