package main

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// serveDatasets is the API. It answers to those who send the token of the
// csrftoken cookie along, in the field of a form or in a header.
func serveDatasets(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	token := r.Header.Get("X-CSRFToken")
	if token == "" {
		token = r.PostForm.Get("csrftoken")
	}
	if want := value(r, "csrftoken"); want == "" || subtle.ConstantTimeCompare([]byte(token), []byte(want)) != 1 {
		http.Error(w, "csrftoken: missing or wrong", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(datasets(languageOf(r))) // the visitor may be gone
}

type dataset struct {
	Title   string `json:"title"`
	About   string `json:"about"`
	Records int    `json:"records"`
}

// datasets are what the portal is for.
func datasets(lang language.Tag) []dataset {
	var all []dataset
	for _, d := range []struct {
		title, about consent.Text
		records      int
	}{
		{text("Arbres de la ville", "Trees of the town"), text("Essence, âge et place de chaque arbre public.", "Species, age and place of every public tree."), 18402},
		{text("Stations de vélos", "Bicycle stations"), text("Vélos disponibles, minute par minute.", "Bicycles at hand, minute by minute."), 214},
		{text("Menus des cantines", "School menus"), text("Ce que mangent les écoles, semaine après semaine.", "What the schools eat, week after week."), 1560},
		{text("Qualité de l'air", "Air quality"), text("Onze capteurs, une mesure par heure depuis 2012.", "Eleven sensors, one reading an hour since 2012."), 1204500},
	} {
		title, _ := d.title.In(lang)
		about, _ := d.about.In(lang)
		all = append(all, dataset{title, about, d.records})
	}
	return all
}
