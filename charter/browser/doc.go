// Package browser shows the charter to a real browser: what a visitor sees of
// it, hears of it and can do with it. It holds tests alone, and has a module of
// its own so that no user of the library downloads a browser's driver.
package browser
