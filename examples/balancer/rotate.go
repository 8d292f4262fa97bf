package main

import (
	"iter"
	"slices"
)

// rotation has a fresh key sign in place of the first of keys, an instance at a
// time; what it yields is whether a step went well. It goes round twice: only
// when all instances know the fresh key does the first one sign with it, or the
// others would ask its visitors again.
func rotation(instances []*instance, keys [][]byte, fresh []byte) iter.Seq[error] {
	known := slices.Concat(keys, [][]byte{fresh}) // first on each instance
	signs := slices.Concat([][]byte{fresh}, keys) // and then on each instance
	return func(yield func(error) bool) {
		for _, keys := range [][][]byte{known, signs} {
			for _, i := range instances {
				if !yield(i.use(keys)) {
					return
				}
			}
		}
	}
}
