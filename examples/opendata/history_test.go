package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestVisitorsSeeTheirOwnHistoryInTheForm(t *testing.T) {
	v := visit(t, "en")
	assert.False(t, v.get("/cookies/").says("on record"), "there is nothing yet")
	assert.Equal(t, http.StatusNotFound, v.get("/record").StatusCode)

	banner := url.Values{"choice": {"accept"}, "by": {"banner"}}
	v.post("/cookies/", banner)
	page := v.get("/cookies/")
	assert.True(t, page.says("Your decisions, as they are on record"))
	assert.Regexp(t, `by the banner, for</span> <strong>[^<]*Matomo`, page.body)
	v.post("/cookies/", save("third-party:Atlas Exemple"))
	assert.Regexp(t, `(?s)by this form, for</span> <strong>Atlas Exemple</strong>.*by the banner, for`, v.get("/cookies/").body, "the newest first")

	v.post("/cookies/", refuse)
	assert.Eventually(t, func() bool { return v.get("/record").says("3 records") }, time.Minute, 10*time.Millisecond, "a refusal is recorded a moment later")
	assert.True(t, v.get("/record").says("Reject all"), "with the notice")
	assert.Equal(t, "private, no-store", v.get("/record").Header.Get("Cache-Control"))

	french := visit(t, "fr")
	french.post("/cookies/", banner)
	assert.True(t, french.get("/cookies/").says("par le bandeau, pour"))
	assert.False(t, french.get("/cookies/").says("Atlas Exemple</strong>"), "of nobody else")
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
	assert.True(t, phone.get("/cookies/").says("taken over from your account, for"))

	assert.Equal(t, http.StatusOK, phone.get("/record").StatusCode)

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
