package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

const counted = "_pk_id.1.1fff"

// start runs three instances behind a balancer, whose page is returned, as are
// those of the instances themselves.
func start(t *testing.T, keys ...[]byte) (instances []*instance, client *http.Client, page string, direct []string) {
	t.Helper()
	var targets []*url.URL
	for _, name := range []string{"A", "B", "C"} {
		i := &instance{name: name}
		require.NoError(t, i.use(keys))
		target, err := url.Parse(drive.Serve(t, i).URL)
		require.NoError(t, err)
		instances = append(instances, i)
		targets = append(targets, target)
		direct = append(direct, target.String()+"/")
	}
	server := drive.Serve(t, newBalancer(targets))
	return instances, server.Client(), server.URL + "/", direct
}

var servedBy = regexp.MustCompile(`Served by (.)`)

// tour lets a visitor see a page by the balancer until every instance has served
// it, and returns which of them have asked.
func tour(t *testing.T, visitor *drive.Visitor, page string) (asked []string) {
	t.Helper()
	seen := make(map[string]bool)
	for range 100 { // three, where nobody else comes
		answer := visitor.Get(page)
		name := servedBy.FindString(answer.Text)
		require.NotEmpty(t, name)
		assert.Equal(t, answer.Asks(), !answer.Sets(counted))
		if answer.Asks() && !seen[name] {
			asked = append(asked, name)
		}
		seen[name] = true
		if len(seen) == 3 {
			return asked
		}
	}
	require.Len(t, seen, 3, "each instance has its turn")
	return nil
}

func TestADecisionTakenOnOneInstanceCountsOnAll(t *testing.T) {
	_, client, page, direct := start(t, newKey())
	drive.Visit(t, client, page, "theme", counted)
	for _, one := range direct {
		visitor := drive.New(t, client)
		visitor.Decide(one, "accept")
		assert.Empty(t, tour(t, visitor, page))
	}
}

func TestAKeyIsRotatedWhileVisitorsComeAndNobodyIsAskedAgain(t *testing.T) {
	old, fresh := newKey(), newKey()
	instances, client, page, direct := start(t, old)
	early := drive.New(t, client)
	early.Decide(page, "accept")
	visits, stop := comeAndCome(t, early.Client, page, 2)
	defer stop()

	var late *drive.Visitor
	for err := range rotation(instances, [][]byte{old}, fresh) {
		require.NoError(t, err)
		for range 6 { // four at least have begun since this step
			require.NoError(t, <-visits)
		}
		for _, one := range direct {
			late = drive.New(t, client)
			late.Decide(one, "accept")
			assert.Empty(t, tour(t, late, page))
		}
	}
	stop()

	// A lifetime later the old key goes, and with it what only it has signed.
	for _, i := range instances {
		require.NoError(t, i.use([][]byte{fresh}))
	}
	assert.Empty(t, tour(t, late, page))
	assert.Len(t, tour(t, early, page), 3)
}

func TestAKeyThatSignsBeforeAllKnowItHasVisitorsAskedAgain(t *testing.T) {
	old, fresh := newKey(), newKey()
	instances, client, page, direct := start(t, old)
	require.NoError(t, instances[0].use([][]byte{fresh, old}))
	visitor := drive.New(t, client)
	visitor.Decide(direct[0], "accept")
	assert.ElementsMatch(t, []string{"Served by B", "Served by C"}, tour(t, visitor, page))
}

// comeAndCome has several tabs load a page over and over until it is stopped. Each
// visit is received from visits: the error is what was wrong with it.
func comeAndCome(t *testing.T, client *http.Client, page string, tabs int) (visits <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	var tabsOpen sync.WaitGroup
	for range tabs {
		tabsOpen.Go(func() {
			for {
				select {
				case results <- visit(client, page):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return results, func() {
		cancel()
		tabsOpen.Wait()
	}
}

func visit(client *http.Client, page string) error {
	response, err := client.Get(page)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	answer := &drive.Answer{Response: response, Text: string(body)}
	switch {
	case err != nil:
		return err
	case answer.Asks():
		return errors.New("asked again by " + servedBy.FindString(answer.Text))
	case !answer.Sets(counted):
		return fmt.Errorf("%s: consent has not counted", response.Status)
	}
	return nil
}
