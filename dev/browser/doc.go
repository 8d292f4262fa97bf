// Package browser takes the library to real browsers: which cookies they keep, send and
// hold back, and what a visitor sees of the charter, hears of it and can do with it. It
// holds tests alone.
package browser
