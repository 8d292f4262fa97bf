package disclosures_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/disclosures"
)

const todo = "TODO: what it is for, in words for visitors"

// The file has what files of vendors have: the examples of the specification, both ways to
// name domains, one name twice, and what is not about browsers.
func TestAVendorsFileIsReadAsDeclarationsToFinish(t *testing.T) {
	file, err := os.ReadFile("testdata/vendor.json")
	require.NoError(t, err)
	cookies, err := disclosures.Read(bytes.NewReader(append([]byte("\uFEFF"), file...)), "AdTech123", language.English, language.French)
	require.NoError(t, err)
	words := func(english string) consent.Text {
		return consent.Text{language.English: english, language.French: todo}
	}
	assert.Equal(t, []consent.Cookie{
		{Provider: "AdTech123", Name: "retarget-adtech123", Purpose: words(todo), Category: consent.Advertising, Lifetime: 2592000000 * time.Second, Domain: "retarget.adtech123.com", Also: []consent.Place{}},
		{Provider: "AdTech123", Name: "kuid", Purpose: words("Counts visitors."), Category: consent.AudienceMeasurement, Lifetime: 365 * 24 * time.Hour, Domain: "krxd.net", Also: []consent.Place{{Domain: "krxd.example"}}},
		{Provider: "AdTech123", Name: "sess*", Purpose: words(todo), Category: "TODO", Also: []consent.Place{}},
		{Provider: "AdTech123", Kind: consent.LocalStorage, Name: "id", Purpose: words(todo), Category: consent.Personalisation},
		{Provider: "AdTech123", Name: "optOut", Purpose: words("Opt out of any tracking"), Category: "TODO", Domain: "adtech123.com", Also: []consent.Place{}},
	}, cookies)

	_, err = consent.NewRegistry(cookies...)
	assert.ErrorContains(t, err, `says TODO in "fr"`)
	for i := range cookies {
		cookies[i].Purpose, cookies[i].Category = consent.Text{language.English: "x"}, consent.ThirdParty
	}
	_, err = consent.NewRegistry(cookies...)
	assert.NoError(t, err, "all else can be declared as it is")

	cookies, err = disclosures.Read(bytes.NewReader(file), "AdTech123")
	require.NoError(t, err)
	assert.Equal(t, consent.Text{language.English: "Counts visitors."}, cookies[1].Purpose)
}

func TestMistakesOfAVendorComeAtOnce(t *testing.T) {
	_, err := disclosures.Read(strings.NewReader(`{"disclosures": [
		{"identifier": "*", "type": "cookie"}, {"type": "coockie", "maxAgeSeconds": 9223372037}]}`), "A")
	assert.EqualError(t, err, `disclosures: disclosures[0].identifier: "*" names nothing
disclosures: disclosures[1].identifier: "" names nothing
disclosures: disclosures[1].type: "coockie" is none of cookie, web, app
disclosures: disclosures[1].maxAgeSeconds: 9223372037 is more than 292 years`)
	for file, want := range map[string]string{
		`{}`:                                   `no "disclosures"`,
		``:                                     "unexpected end",
		`{"disclosures": []} {}`:               "after top-level value",
		`{"disclosures": [{"identifier": 1}]}`: "identifier", // encoding/json names the place from Go 1.27 on
		strings.Repeat(" ", 17<<20):            "more than 16 MB",
	} {
		_, err := disclosures.Read(strings.NewReader(file), "A")
		assert.ErrorContains(t, err, want)
	}
	_, err = disclosures.Read(iotest.ErrReader(io.ErrClosedPipe), "A")
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	cookies, err := disclosures.Read(strings.NewReader(`{"disclosures": []}`), "A")
	assert.NoError(t, err, "a vendor that stores nothing")
	assert.Empty(t, cookies)
}

func TestDeclarationsAreDisclosedAsTheSpecificationAsks(t *testing.T) {
	words := consent.Text{language.French: "Compte.", language.English: "Counts."}
	var written bytes.Buffer
	require.NoError(t, disclosures.Write(&written, "shop.example",
		consent.Cookie{Provider: "A", Name: "sid", Purpose: words, Category: consent.Necessary},
		consent.Cookie{Provider: "A", Name: "n", Purpose: words, Category: consent.Statistics, Anonymous: true, Lifetime: time.Hour},
		consent.Cookie{Provider: "A", Name: "_id*", Purpose: words, Category: consent.AudienceMeasurement, Domain: ".shop.example", Also: []consent.Place{{Domain: "b.example"}, {Path: "/x"}, {Path: "/y"}}},
		consent.Cookie{Provider: "A", Name: "ad", Purpose: words, Category: consent.Advertising, Kind: consent.IndexedDB, Lifetime: time.Hour},
		consent.Cookie{Provider: "A", Name: "pixel", Purpose: words, Category: consent.Advertising, Kind: consent.Other},
		consent.Cookie{Provider: "A", Name: "chat", Purpose: consent.Text{language.French: "Parle."}, Category: consent.Chat},
	))
	assert.JSONEq(t, `{"disclosures": [
		{"identifier": "sid", "type": "cookie", "maxAgeSeconds": 0, "cookieRefresh": false, "domains": ["shop.example"], "purposes": [], "description": "Counts."},
		{"identifier": "n", "type": "cookie", "maxAgeSeconds": 3600, "cookieRefresh": false, "domains": ["shop.example"], "purposes": [8, 9], "description": "Counts."},
		{"identifier": "_id*", "type": "cookie", "maxAgeSeconds": 0, "cookieRefresh": false, "domains": ["*.shop.example", "*.b.example", "shop.example"], "purposes": [1, 8, 9], "description": "Counts."},
		{"identifier": "ad", "type": "web", "maxAgeSeconds": null, "domains": ["shop.example"], "purposes": [1, 2, 3, 4, 7], "description": "Counts."},
		{"identifier": "chat", "type": "cookie", "maxAgeSeconds": 0, "cookieRefresh": false, "domains": ["shop.example"], "purposes": [1], "description": "Parle."}
	], "domains": [
		{"domain": "shop.example", "purposes": [1, 2, 3, 4, 7, 8, 9]},
		{"domain": "*.shop.example", "purposes": [1, 8, 9]},
		{"domain": "*.b.example", "purposes": [1, 8, 9]}
	]}`, written.String())

	read, err := disclosures.Read(&written, "A")
	require.NoError(t, err)
	assert.Equal(t, []string{"sid TODO", "n TODO", "_id* audience-measurement", "ad advertising", "chat TODO"}, summary(read))

	written.Reset()
	require.NoError(t, disclosures.Write(&written, "shop.example"))
	var empty map[string][]any
	require.NoError(t, json.Unmarshal(written.Bytes(), &empty))
	assert.Equal(t, map[string][]any{"disclosures": {}, "domains": {}}, empty, "lists and not null")
}

func summary(cookies []consent.Cookie) (all []string) {
	for _, c := range cookies {
		all = append(all, c.Name+" "+string(c.Category))
	}
	return all
}

func ExampleRead() {
	cookies, err := disclosures.Read(strings.NewReader(`{"disclosures": [{
		"identifier": "uid", "type": "cookie", "maxAgeSeconds": 2592000, "domains": ["*.adtech.example"], "purposes": [1, 3, 4],
		"description": "Recognises a browser."
	}]}`), "AdTech")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cookies[0].Name, cookies[0].Category, cookies[0].Lifetime, cookies[0].Domain)
	// Output: uid advertising 720h0m0s adtech.example
}

func ExampleWrite() {
	err := disclosures.Write(os.Stdout, "adtech.example", consent.Cookie{
		Provider: "AdTech", Name: "seen", Category: consent.Personalisation, Lifetime: time.Hour,
		Purpose: consent.Text{language.English: "Remembers what was shown."},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "disclosures": [
	//     {
	//       "identifier": "seen",
	//       "type": "cookie",
	//       "maxAgeSeconds": 3600,
	//       "cookieRefresh": false,
	//       "domains": [
	//         "adtech.example"
	//       ],
	//       "purposes": [
	//         1,
	//         5,
	//         6,
	//         11
	//       ],
	//       "description": "Remembers what was shown."
	//     }
	//   ],
	//   "domains": [
	//     {
	//       "domain": "adtech.example",
	//       "purposes": [
	//         1,
	//         5,
	//         6,
	//         11
	//       ]
	//     }
	//   ]
	// }
}
