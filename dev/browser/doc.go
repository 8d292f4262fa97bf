// Package browser shows the charter to a real browser: what a visitor sees of
// it, hears of it and can do with it. It holds tests alone.
package browser
