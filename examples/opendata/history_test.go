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
