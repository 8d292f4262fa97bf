// Package suite stands for the module of somebody else.
package suite

import "net/http"

// Handler sets a cookie, as those do that the middleware is put around.
func Handler(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
	w.WriteHeader(http.StatusTeapot)
}
