// Package broken does not compile.
package broken

import "net/http"

func set(w http.ResponseWriter) { http.SetCookie(w, cookie) }
