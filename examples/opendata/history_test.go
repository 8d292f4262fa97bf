package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestVisitorsReadWhatIsRecordedOfTheirOwnDecisions(t *testing.T) {
	v := visit(t, "en")
	assert.False(t, v.get("/cookies/").says("What is recorded about my choice"), "there is nothing yet")
	assert.True(t, v.get("/cookies/records").says("Nothing is recorded for this browser"))

	banner := url.Values{"choice": {"accept"}, "by": {"banner"}}
	v.post("/cookies/", banner)
	assert.True(t, v.get("/cookies/").says(`<a href="/cookies/records">What is recorded about my choice</a>`))
	assert.Regexp(t, `(?s)<dd>Allowed: Matomo</dd>.*<dd>With a button of the banner</dd>`, v.get("/cookies/records").body)
	v.post("/cookies/", save("third-party:Atlas Exemple"))
	assert.Regexp(t, `(?s)<dd>Refused: Matomo</dd>.*In the cookie settings.*<dd>Allowed: Matomo</dd>.*With a button of the banner`, v.get("/cookies/records").body, "the newest first")

	v.post("/cookies/", refuse)
	assert.Eventually(t, func() bool { return strings.Count(v.get("/cookies/records").body, "<section") == 3 }, time.Minute, 10*time.Millisecond, "a refusal is recorded a moment later")
	assert.True(t, v.get("/cookies/records").says("Accept all</button> <strong>"), "with what was on the screen")
	assert.Equal(t, "private, no-store", v.get("/cookies/records").Header.Get("Cache-Control"))

	receipt := v.get("/cookies/records.json")
	assert.Equal(t, "application/ld+json", receipt.Header.Get("Content-Type"))
	assert.True(t, json.Valid([]byte(receipt.body)))
	assert.Contains(t, receipt.body, "Ville de Valombre")

	french := visit(t, "fr")
	french.post("/cookies/", banner)
	assert.True(t, french.get("/cookies/records").says("Par un bouton du bandeau"))
	assert.Equal(t, 1, strings.Count(french.get("/cookies/records").body, "<section"), "of nobody else")
}

func TestWhatSomebodyDecidesWhileSignedInHoldsOnTheirOtherDevicesAndForNobodyElse(t *testing.T) {
	ada := url.Values{"name": {"Ada"}}
	accept := url.Values{"choice": {"accept"}, "by": {"banner"}}

	laptop := visit(t, "en")
	laptop.post("/sign-in", ada)
	laptop.decide(accept)
	phone := laptop.another()
	phone.post("/sign-in", ada)
	assert.True(t, phone.allows("_pk_id.1.1fff"))
	assert.True(t, phone.get("/cookies/records").says("Taken over from your account"))

	// A computer that is shared.
	shared := laptop.another()
	shared.post("/sign-in", ada)
	shared.post("/sign-out", nil)
	assert.False(t, shared.allows("_pk_id.1.1fff"), "who comes next is asked")
	phone.decide(refuse)
	shared.decide(accept)
	for _, device := range []visitor{phone, laptop, laptop.another()} {
		device.post("/sign-out", nil)
		device.post("/sign-in", ada)
		assert.False(t, device.allows("_pk_id.1.1fff"))
	}
	assert.True(t, shared.allows("_pk_id.1.1fff"), "whoever sits there now has allowed it")
}
