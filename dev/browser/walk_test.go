package browser

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// What tests share that have a browser walk through pages by itself.

var browsers = map[string]func(*testing.T, string){"Chromium": browsertest.Chromium, "Firefox": browsertest.Firefox}

// patience is how long a browser that walks may do nothing. However busy the machine is, a
// walk may take its time.
const patience = 2 * time.Minute

// A walk knows whether a browser that is on its way still asks for something.
type walk struct {
	asked chan struct{} // has one if something was asked for since the last look
	done  chan struct{} // is closed at the end
}

func newWalk() walk { return walk{make(chan struct{}, 1), make(chan struct{})} }

// note notes a request.
func (w walk) note() {
	select {
	case w.asked <- struct{}{}:
	default:
	}
}

// ends waits for the end, and says whether it has come: not if nothing is asked for any more.
func (w walk) ends() bool {
	for {
		select {
		case <-w.done:
			return true
		case <-w.asked:
		case <-time.After(patience):
			return false
		}
	}
}

// tellings waits for so many pages that a browser walks through, and returns what each has
// told.
func tellings(t *testing.T, told <-chan json.RawMessage, pages int) (all []json.RawMessage) {
	t.Helper()
	for range pages {
		select {
		case next := <-told:
			all = append(all, next)
		case <-time.After(patience):
			t.Fatalf("nothing more was told after %d of %d pages", len(all), pages)
		}
	}
	return all
}

func decoded[T any](t *testing.T, told json.RawMessage) (value T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(told, &value), string(told))
	return value
}
