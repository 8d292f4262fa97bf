package ledger_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// town answers for the site of the examples.
var town = ledger.Issuer{
	Controller:    ledger.Party{Name: "Town of Example", Address: "1 Market Square, Example", Email: "data@example.org", URL: "https://www.example.org/"},
	PrivacyPolicy: "https://www.example.org/privacy",
	Settings:      "https://www.example.org/cookies/",
	Lifetime:      180 * 24 * time.Hour,
	Retention:     390 * 24 * time.Hour,
	StoredIn:      []string{"FR"},
	Jurisdictions: []ledger.Jurisdiction{{Regime: consent.OptIn, Places: []string{"FR", "EU"}}},
	Categories:    []ledger.Processing{{Category: consent.Statistics, PersonalData: []string{"pd:BrowsingBehaviour"}}},
	Recipients:    []ledger.Recipient{{Provider: "Matomo", Name: "InnoCraft Ltd", Address: "7 Waterloo Quay, Wellington", URL: "https://matomo.example/"}},
}

func ExampleReceipts() {
	books, done := exampleBooks()
	defer done()
	receipts, err := books.Receipts(town)
	if err != nil {
		panic(err)
	}
	visitor := consent.Reference{15: 1} // consent.FromContext(r.Context()).Reference() in a handler
	var receipt bytes.Buffer
	if err := receipts.WriteReceipt(ctx, &receipt, visitor); err != nil {
		panic(err)
	}
	var read struct {
		Type string `json:"@type"`
	}
	if err := json.Unmarshal(receipt.Bytes(), &read); err != nil {
		panic(err)
	}
	records, err := receipts.Records(ctx, visitor)
	fmt.Println(read.Type, "of", len(records), "decision,", err)
	// Output: dpv:ConsentReceipt of 1 decision, <nil>
}

func ExampleIssuer() {
	books, done := exampleBooks()
	defer done()
	var document bytes.Buffer
	err := books.ExportReceipts(ctx, &document, town, ledger.Period{}, nil)
	fmt.Println(bytes.Count(document.Bytes(), []byte(`"@type":"dpv:ConsentRecord"`)), "records,", err)
	// Output: 3 records, <nil>
}

func ExampleIssuerError() {
	_, err := ledger.ReadIssuer(strings.NewReader(`{
		"controller": {"name": "Town of Example", "address": "1 Market Square, Example", "email": "data@example.org", "url": "https://www.example.org/"},
		"privacyPolicy": "https://www.example.org/privacy",
		"settings": "/cookies/",
		"lifetime": "6 months", "retention": "13 months", "storedIn": ["FR"]
	}`))
	for _, mistake := range err.(interface{ Unwrap() []error }).Unwrap() {
		if wrong, is := errors.AsType[*ledger.IssuerError](mistake); is {
			fmt.Println(wrong.Field)
		}
	}
	// Output:
	// settings
	// jurisdictions
}

func ExampleGrouping() {
	books, done := exampleBooks()
	defer done()
	byWeek := ledger.Grouping{By: []ledger.Dimension{ledger.ByWeek, ledger.ByProvider}}
	stats, err := books.Stats(ctx, ledger.Period{}, byWeek, nil)
	if err != nil {
		panic(err)
	}
	for _, s := range stats {
		year, week := s.Start.ISOWeek()
		fmt.Printf("week %d of %d, %s: %d of %d\n", week, year, s.Provider, s.Accepted, s.Decided)
	}
	// Output:
	// week 9 of 2026, Matomo: 1 of 1
	// week 10 of 2026, Matomo: 1 of 2
}

func ExampleLatency() {
	books, done := exampleBooks()
	defer done()
	latency := books.Figures().Latency
	fmt.Println(latency.Count, "consents,", latency.Sum > 0)
	// Output: 3 consents, true
}
