package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/signature"
)

// Name returns the name of the cookie next to that of the preferences.
func Name(preferences string) string { return preferences + "_account" }

// Attributes returns the cookie without a value, next to that of the preferences: no
// script has to read it.
func Attributes(preferences http.Cookie) http.Cookie {
	preferences.Name = Name(preferences.Name)
	preferences.HttpOnly = true
	return preferences
}

// A Key finds, in the context of a request, the visit to the site of that owner.
type Key struct{ Owner any }

// A Cookie is the cookie of one site. It is safe for concurrent use.
type Cookie struct {
	attributes http.Cookie
	signer     *signature.Signer
	keys       [][]byte
}

// New returns the cookie next to that of the preferences. The first key signs, all verify.
func New(preferences http.Cookie, keys [][]byte) *Cookie {
	c := &Cookie{attributes: Attributes(preferences), keys: keys}
	c.signer = signature.New(c.attributes.Name+";Path="+c.attributes.Path, keys, time.Duration(c.attributes.MaxAge)*time.Second)
	return c
}

// Line returns the Set-Cookie line that carries s. One of a browser that has nothing to
// remember deletes the cookie. The error says that s is longer than browsers store.
func (c *Cookie) Line(s *State) (string, error) {
	cookie := c.attributes
	if !s.SignedIn && len(s.Told) == 0 {
		cookie.MaxAge = -1
		return cookie.String(), nil
	}
	value, err := c.signer.Sign(s.Append(nil))
	if err != nil {
		return "", err
	}
	cookie.Value = value
	return cookie.String(), nil
}

// maxCandidates is how many cookies of one request have their signature checked.
const maxCandidates = 4

// Read returns the state in a Cookie header; the zero State if there is none that the site
// has signed. Of several the one counts by which the account was asked last.
func (c *Cookie) Read(header string) (newest State) {
	now, candidates := time.Now(), 0
	for pair := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		if name != c.attributes.Name || value == "" {
			continue
		}
		if candidates++; candidates > maxCandidates {
			break
		}
		payload, signed := c.signer.Verify(nil, value, now)
		if !signed {
			continue
		}
		if s, err := Parse(payload); err == nil && !s.Looked.Before(newest.Looked) {
			newest = s
		}
	}
	return newest
}

// Tags returns what stands for the account of a user by each of the keys, the first of
// which makes new ones.
func (c *Cookie) Tags(user string) []Tag {
	tags := make([]Tag, len(c.keys))
	for i, key := range c.keys {
		copy(tags[i][:], c.sum(key, "account", user))
	}
	return tags
}

// Marks does for something that a user has been told what Tags does for their account.
func (c *Cookie) Marks(user, told string) []Mark {
	marks := make([]Mark, len(c.keys))
	for i, key := range c.keys {
		copy(marks[i][:], c.sum(key, told, user))
	}
	return marks
}

// sum is apart from every signature by its beginning, which is no name of a cookie.
func (c *Cookie) sum(key []byte, what, user string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("\x00" + c.attributes.Name + "\x00" + what + "\x00" + user))
	return h.Sum(nil)
}
