// Package interposed stands between the tests of a suite and its handlers. It
// compiles only within a run of the command suites, which gives net/http the
// variable that the rest of the package sets.
package interposed
