package account_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/account"
)

func full() account.State {
	at := time.UnixMilli(1_790_000_000_000)
	return account.State{
		SignedIn: true, Who: account.Tag{1, 2}, Looked: at, Decided: at.Add(time.Second), Holds: at.Add(time.Minute),
		Tell: true, Conflict: true, Unlinked: true,
		Told: []account.Mark{{3}, {4}}, Foreign: []uint32{account.Objection, 8}, Before: []byte("before"),
	}
}

func TestAStateIsReadAsItWasWritten(t *testing.T) {
	for _, s := range []account.State{{}, full(), {SignedIn: true}, {Told: []account.Mark{{9}}}, {Tell: true}, {Before: []byte{0}}} {
		got, err := account.Parse(s.Append(nil))
		require.NoError(t, err)
		assert.Equal(t, s, got)
	}
	s := full()
	encoded := s.Append(nil)
	for n := range len(encoded) - len(s.Before) {
		_, err := account.Parse(encoded[:n])
		assert.ErrorIs(t, err, account.ErrMalformed, n)
	}
	for at, value := range map[int]byte{0: 2, 1: 16, 18: 0xFF, 42: 17} { // version, flags, a time, how many were told
		changed := bytes.Clone(encoded)
		changed[at] = value
		_, err := account.Parse(changed)
		assert.ErrorIs(t, err, account.ErrMalformed, at)
	}
}

func FuzzParse(f *testing.F) {
	s := full()
	f.Add(s.Append(nil))
	f.Add(new(account.State).Append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := account.Parse(b); err == nil {
			assert.Equal(t, b, s.Append(nil), "one form for one state")
		}
	})
}

func TestWhatWasToldLongAgoIsForgotten(t *testing.T) {
	var s account.State
	for i := range byte(20) {
		s.NoteTold(account.Mark{0})
		s.NoteTold(account.Mark{i})
	}
	assert.Len(t, s.Told, 16)
	assert.True(t, s.HasTold([]account.Mark{{0}, {99}}), "what is told again stays")
	assert.True(t, s.HasTold([]account.Mark{{19}}))
	assert.False(t, s.HasTold([]account.Mark{{1}}))
	assert.False(t, s.HasTold(nil))
}

func cookie(keys ...string) *account.Cookie {
	var all [][]byte
	for _, key := range keys {
		all = append(all, bytes.Repeat([]byte(key), 32))
	}
	return account.New(http.Cookie{Name: "prefs", Path: "/", MaxAge: 3600, Secure: true, SameSite: http.SameSiteLaxMode}, all)
}

func pair(t *testing.T, c *account.Cookie, s account.State) string {
	t.Helper()
	line, err := c.Line(&s)
	require.NoError(t, err)
	sent, attributes, _ := strings.Cut(line, ";")
	assert.Equal(t, " Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax", attributes)
	return sent
}

func TestOnlyWhatTheSiteHasSignedIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := cookie("k"), full()
		sent := pair(t, c, s)
		assert.True(t, strings.HasPrefix(sent, "prefs_account="))
		assert.Equal(t, s, c.Read(sent))
		assert.Equal(t, s, c.Read("a=b; "+sent+"; c=d"))
		assert.Equal(t, s, cookie("n", "k").Read(sent), "a new key goes first")
		assert.Zero(t, cookie("n").Read(sent))
		assert.Zero(t, c.Read(strings.Replace(sent, "_account", "", 1)))
		assert.Zero(t, c.Read(sent+"x"))
		assert.Zero(t, c.Read(""))

		older := s
		older.Looked = s.Looked.Add(-time.Minute)
		other := pair(t, c, older)
		assert.Equal(t, s, c.Read(other+"; "+sent))
		assert.Equal(t, s, c.Read(sent+"; "+other))
		assert.Zero(t, c.Read(strings.Repeat("prefs_account=x; ", 4)+sent), "so many are never the site's")
		time.Sleep(2 * time.Hour)
		assert.Zero(t, c.Read(sent))

		gone, err := c.Line(new(account.State))
		require.NoError(t, err)
		assert.Contains(t, gone, "Max-Age=0")
		s.Before = make([]byte, 4096)
		_, err = c.Line(&s)
		assert.Error(t, err, "longer than browsers store")
	})
}

func TestATagTellsNobodyWhoseItIs(t *testing.T) {
	c := cookie("n", "k")
	assert.Equal(t, c.Tags("ada"), c.Tags("ada"))
	assert.NotEqual(t, c.Tags("ada")[0], c.Tags("bob")[0])
	assert.Equal(t, c.Tags("ada")[1], cookie("k").Tags("ada")[0], "it is known by an older key")
	assert.NotEqual(t, c.Tags("ada")[0], cookie("m").Tags("ada")[0])
	assert.NotEqual(t, c.Marks("ada", "here")[0], c.Marks("ada", "there")[0])
	assert.NotEqual(t, c.Marks("ada", "here")[0], c.Marks("bob", "here")[0])
}
