package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/signature"
)

const (
	name = "cookies_preferences"
	age  = time.Hour
)

var (
	key     = bytes.Repeat([]byte("k"), 32)
	old     = bytes.Repeat([]byte("o"), 64)
	payload = []byte("what was \x00 decided")
)

func codec(key []byte) *securecookie.SecureCookie {
	return securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).MaxAge(int(age / time.Second))
}

// verify returns the payload of a value; nil if no key has signed it.
func verify(s *signature.Signer, value string, now time.Time) []byte {
	payload, ok := s.Verify(nil, value, now)
	if !ok {
		return nil
	}
	return append([]byte{}, payload...)
}

func TestASignatureIsThatOfSecurecookie(t *testing.T) {
	s := signature.New(name, [][]byte{key, old}, age)
	ours, err := s.Sign(payload)
	require.NoError(t, err)
	var theirs []byte
	require.NoError(t, codec(key).Decode(name, ours, &theirs))
	assert.Equal(t, payload, theirs)
	assert.Equal(t, payload, verify(s, ours, time.Now()))

	rotated, err := codec(old).Encode(name, payload)
	require.NoError(t, err)
	assert.Equal(t, payload, verify(s, rotated, time.Now()), "each key verifies")
	assert.Nil(t, verify(signature.New(name, [][]byte{key}, age), rotated, time.Now()), "and no other")
}

func TestASignatureIsGoodForItsAge(t *testing.T) {
	s := signature.New(name, [][]byte{key}, age)
	value, err := s.Sign(payload)
	require.NoError(t, err)
	signed := time.Unix(signature.ClaimedDate(value), 0)
	assert.WithinDuration(t, time.Now(), signed, 2*time.Second)
	assert.NotNil(t, verify(s, value, signed.Add(age)))
	assert.Nil(t, verify(s, value, signed.Add(age+time.Second)))
}

func TestAnAgeIsCountedInWholeSeconds(t *testing.T) {
	s := signature.New(name, [][]byte{key}, 1900*time.Millisecond)
	value, err := s.Sign(payload)
	require.NoError(t, err)
	signed := time.Unix(signature.ClaimedDate(value), 0)
	assert.NotNil(t, verify(s, value, signed.Add(1999*time.Millisecond)))
	assert.Nil(t, verify(s, value, signed.Add(2*time.Second)))
}

func TestASignerKeepsNothingOfTheCallers(t *testing.T) {
	mine, message := bytes.Clone(key), bytes.Clone(payload)
	s := signature.New(name, [][]byte{mine}, age)
	clear(mine)
	value, err := s.Sign(message)
	require.NoError(t, err)
	assert.Equal(t, payload, message)
	assert.Equal(t, payload, verify(s, value, time.Now()))
	assert.Equal(t, payload, verify(signature.New(name, [][]byte{key}, age), value, time.Now()))
}

// Nobody signs these but who has the key; they are read as securecookie reads them.
func TestASignedDateIsDecimal(t *testing.T) {
	s := signature.New(name, [][]byte{key}, age)
	for signed, want := range map[string]bool{
		"4000000000|QQ==": true, "+4000000000|QQ==": true, "4000000000|": true, // in the future
		"0xFFFFFFFF|QQ==": false, "4_000_000_000|QQ==": false, "|QQ==": false, "x|QQ==": false, "99999999999999999999|QQ==": false,
		"0|QQ==": false, "-4000000000|QQ==": false, // expired
		"4000000000|QQ": false, "4000000000|?": false, "4000000000": false,
	} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(name + "|" + signed))
		value := base64.URLEncoding.EncodeToString(append([]byte(signed+"|"), mac.Sum(nil)...))
		var theirs []byte
		assert.Equal(t, want, codec(key).Decode(name, value, &theirs) == nil, signed)
		_, ok := s.Verify(nil, value, time.Now())
		assert.Equal(t, want, ok, signed)
	}
}

func TestASignatureWithoutADateClaimsNone(t *testing.T) {
	for _, value := range []string{"", "AAAA", "||||", "MTc5NTQ5MTAxNHx8", strings.Repeat("9", 100)} {
		if value == "MTc5NTQ5MTAxNHx8" {
			assert.EqualValues(t, 1795491014, signature.ClaimedDate(value))
			continue
		}
		assert.Zero(t, signature.ClaimedDate(value), value)
	}
}

func TestAPayloadThatIsTooLongIsAnError(t *testing.T) {
	s := signature.New(name, [][]byte{key}, age)
	_, err := s.Sign(make([]byte, 4096))
	assert.Error(t, err)
	assert.Nil(t, verify(s, strings.Repeat("A", 64<<10), time.Now()))
}

// Name and value together have 4,096 bytes at most. The value below has 4,080.
func TestTheLongestSignatureIsTheLongestThatBrowsersStore(t *testing.T) {
	payload := make([]byte, 2262)
	for length, fits := range map[int]bool{16: true, 17: false} {
		name := strings.Repeat("n", length)
		s := signature.New(name, [][]byte{key}, age)
		_, err := s.Sign(payload)
		assert.Equal(t, fits, err == nil, length)
		value, err := codec(key).MaxLength(0).Encode(name, payload)
		require.NoError(t, err)
		require.Len(t, value, 4080)
		assert.Equal(t, fits, verify(s, value, time.Now()) != nil, length)
	}
}

func TestVerifyingAllocatesFarLessThanSecurecookie(t *testing.T) {
	s := signature.New(name, [][]byte{old, key}, age)
	value, err := codec(key).Encode(name, payload)
	require.NoError(t, err)
	now := time.Now()
	ours := testing.AllocsPerRun(1000, func() {
		if _, ok := s.Verify(nil, value, now); !ok {
			t.Fatal("a good signature is refused")
		}
	})
	codecs := []securecookie.Codec{codec(old), codec(key)}
	theirs := testing.AllocsPerRun(1000, func() {
		var payload []byte
		if err := securecookie.DecodeMulti(name, value, &payload, codecs...); err != nil {
			t.Fatal(err)
		}
	})
	// One in truth, but under the race detector a sync.Pool drops one in four of
	// what it is given.
	assert.Less(t, ours, theirs/2)
}

// Whatever is sent, the answer is that of securecookie.
func FuzzVerify(f *testing.F) {
	s := signature.New(name, [][]byte{key}, age)
	good, err := codec(key).Encode(name, payload)
	require.NoError(f, err)
	empty, err := codec(key).Encode(name, []byte{})
	require.NoError(f, err)
	for _, seed := range []string{
		"", good, empty, good[:len(good)-4], good + "AAAA", good + "=", strings.ToLower(good), good[:20] + "\n" + good[20:],
		"MTc5NTQ5MTAxNHx8", "MTc5NTQ5MTAxNHxBUUFBQUE9PXw=", "fHx8fHx8", strings.Repeat("A", 4077), strings.Repeat("A", 4078),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		var theirs []byte
		err := codec(key).MaxLength(4096-len(name)).Decode(name, value, &theirs)
		ours := verify(s, value, time.Now())
		if (ours != nil) != (err == nil) || !bytes.Equal(ours, theirs) {
			t.Errorf("%q holds %q, and %q (%v) for securecookie", value, ours, theirs, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	value, err := codec(key).Encode(name, payload)
	require.NoError(b, err)
	b.Run("here", func(b *testing.B) {
		s := signature.New(name, [][]byte{key}, age)
		b.ReportAllocs()
		for b.Loop() {
			s.Verify(nil, value, time.Now())
		}
	})
	b.Run("securecookie", func(b *testing.B) {
		codec := codec(key)
		b.ReportAllocs()
		for b.Loop() {
			var payload []byte
			if err := codec.Decode(name, value, &payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}
