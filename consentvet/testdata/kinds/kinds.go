// Package kinds declares what is no cookie.
package kinds

import (
	"net/http"
	"os"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Kind: consent.LocalStorage, Name: "item"},
	consent.Cookie{Kind: consent.SessionStorage, Name: "draft_*"},
	consent.Cookie{Kind: consent.IndexedDB, Name: "tiles"},
	consent.Cookie{Kind: consent.CacheStorage, Name: "pages"},
	consent.Cookie{Kind: consent.Other, Name: "pixel"},
	consent.Cookie{Kind: consent.LocalStorage, Name: "unset"},
	consent.Cookie{Kind: consent.LocalStorage, Name: os.Getenv("KEY")},
	consent.Cookie{Kind: consent.HTTPCookie, Name: "vain"}, // want `cookie "vain" is declared but nothing sets it`
	consent.Cookie{Kind: consent.LocalStorage, Name: "both"},
	consent.Cookie{Name: "both"},
	consent.Cookie{Kind: consent.LocalStorage, Name: "half"},
	consent.Cookie{Name: "half"}, // want `cookie "half" is declared but nothing sets it`
	helped("helped"),
	of(consent.IndexedDB, "database"),
	of(consent.HTTPCookie, "cookie"), // want `cookie "cookie" is declared but nothing sets it`
)

func item() consent.Cookie { return consent.Cookie{Kind: consent.LocalStorage} }

func helped(name string) consent.Cookie {
	return consent.Cookie{Kind: consent.CacheStorage, Name: name}
}

func of(kind consent.Kind, name string) consent.Cookie {
	return consent.Cookie{Kind: kind, Name: name}
}

func more(kind consent.Kind) []consent.Cookie {
	c := consent.Cookie{Name: "assigned"}
	c.Kind = consent.LocalStorage
	made := item()
	made.Name = "made"
	listed := []consent.Cookie{
		{Kind: consent.LocalStorage, Name: "first"},
		{Name: "second"}, // want `cookie "second" is declared but nothing sets it`
		{Kind: consent.IndexedDB, Name: "third"},
	}
	cookies := []consent.Cookie{c, made, listed[0], {Name: "perhaps", Kind: kind}} // what nobody knows is no finding
	for _, row := range []struct {
		kind consent.Kind
		name string
	}{
		{consent.LocalStorage, "row"},
		{consent.HTTPCookie, "other row"},
	} {
		cookies = append(cookies, consent.Cookie{Kind: row.kind, Name: row.name})
	}
	return cookies
}

func set(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "item"})            // want `cookie "item" is set by http.SetCookie but declared as localStorage, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "draft_1"})         // want `cookie "draft_1" is set by http.SetCookie but declared as sessionStorage, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "draft_" + r.Host}) // want `cookie "draft_*" is set by http.SetCookie but not declared`
	w.Header().Add("Set-Cookie", "tiles=1; Path=/")          // want `cookie "tiles" is set by a Set-Cookie field but declared as indexedDB, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "pages"})           // want `cookie "pages" is set by http.SetCookie but declared as cacheStorage, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "pixel"})           // want `cookie "pixel" is set by http.SetCookie but declared as other, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "helped"})          // want `cookie "helped" is set by http.SetCookie but declared as cacheStorage, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "database"})        // want `cookie "database" is set by http.SetCookie but declared as indexedDB, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "assigned"})        // want `cookie "assigned" is set by http.SetCookie but declared as localStorage, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "third"})           // want `cookie "third" is set by http.SetCookie but declared as indexedDB, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "made"})            // want `cookie "made" is set by http.SetCookie but declared as localStorage, not as a cookie`
	http.SetCookie(w, &http.Cookie{Name: "nothing"})         // want `cookie "nothing" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: "both"})
	http.SetCookie(w, &http.Cookie{Name: "perhaps"})
	http.SetCookie(w, &http.Cookie{Name: "row"})
}

var lists = [][]consent.Cookie{
	{{Kind: consent.LocalStorage, Name: "list 1"}, {Kind: consent.LocalStorage, Name: "list 2"}},
	{{Name: "list 3"}, {Kind: consent.LocalStorage, Name: "list 4"}}, // want `cookie "list 3" is declared but nothing sets it`
}

var table = map[string]consent.Cookie{
	"a": {Name: "table 1"}, // want `cookie "table 1" is declared but nothing sets it`
	"b": {Kind: consent.CacheStorage, Name: "table 2"},
}
