// Package inner has handlers of several programs.
package inner

import "net/http"

func Home(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "inner"})
}

func Other(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "of another program"})
}
