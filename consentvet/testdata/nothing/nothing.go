// Package nothing neither declares nor sets a cookie.
package nothing

import "net/http"

func home(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }
