package joined_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/joined"
)

func TestEachMistakeIsToldOnItsOwn(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	wrapped := fmt.Errorf("in a file: %w", a)
	for _, test := range []struct {
		name string
		err  error
		want []error
	}{
		{"none", nil, nil},
		{"one", a, []error{a}},
		{"one that wraps another", wrapped, []error{wrapped}},
		{"several", errors.Join(a, b), []error{a, b}},
		{"several within several", errors.Join(errors.Join(a, b), nil, c), []error{a, b, c}},
	} {
		assert.Equal(t, test.want, joined.Split(test.err), test.name)
	}
}
