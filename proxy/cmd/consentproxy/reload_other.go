//go:build !unix

package main

import "os"

// notifyReload does nothing: where there is no SIGHUP, a new start reads the settings anew.
func notifyReload(chan<- os.Signal) {}
