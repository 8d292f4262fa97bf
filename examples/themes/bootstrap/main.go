// Command bootstrap shows the charter in Bootstrap 5.
package main

import "github.com/cookiecharter/consent/examples/themes/internal/demo"

func main() { demo.Run("bootstrap", theme()) }
