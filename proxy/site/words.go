package site

import "strings"

// toOperator says by the names that files of settings have what package consent says by
// those of its Config: who reads the log of a proxy may have seen no line of Go.
var toOperator = strings.NewReplacer("Config.Insecure", `the setting "insecure"`, "Config.Domain", `the setting "domain"`)
