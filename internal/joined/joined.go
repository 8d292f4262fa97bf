// Package joined takes apart what [errors.Join] has joined, so that each mistake can be told
// at its own place.
package joined

// Split returns the errors that err joins, those that are joined within them too, in their
// order: err alone if it joins none, nothing if it is nil.
func Split(err error) []error {
	if err == nil {
		return nil
	}
	several, is := err.(interface{ Unwrap() []error })
	if !is {
		return []error{err}
	}
	var all []error
	for _, err := range several.Unwrap() {
		all = append(all, Split(err)...)
	}
	return all
}
