// Package unread declares cookies in ways that its source does not show.
package unread

import (
	"encoding/json"
	"net/http"
	"os"

	"github.com/cookiecharter/consent"
)

type file struct{ Cookies []consent.Cookie }

func read(data []byte) ([]consent.Cookie, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	return f.Cookies, nil
}

func registries(data []byte) (all []*consent.Registry) {
	list, _ := read(data)
	all = append(all, consent.MustRegistry(list...)) // want `some declarations of this registry are not in the source that was read, and cannot be checked`

	var decoded []consent.Cookie
	_ = json.Unmarshal(data, &decoded)
	mixed := append([]consent.Cookie{{Name: "written"}}, decoded...)
	registry, _ := consent.NewRegistry(mixed...) // want `some declarations of this registry are not in the source that was read, and cannot be checked`
	all = append(all, registry)

	var looped []consent.Cookie
	for _, name := range os.Args {
		looped = append(looped, consent.Cookie{
			Name: name, // want `the name of this declaration is not constant and cannot be checked`
		})
	}
	made := make([]consent.Cookie, 0, 1)
	made = append(made, consent.Cookie{Name: "app_" + os.Args[0]}) // want `the name of this declaration, "app_*", is not constant and cannot be checked`
	made = append(made, consent.Cookie{Name: os.Args[1]})          // consentvet: ignore
	return append(all, consent.MustRegistry(append(made, looped...)...), consent.MustRegistry())
}

func set(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: "written"})
	http.SetCookie(w, &http.Cookie{Name: "perhaps"}) // want `cookie "perhaps" is set by http.SetCookie but no declaration whose name is constant covers it`
}
