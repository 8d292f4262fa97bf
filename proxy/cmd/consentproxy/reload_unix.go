//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyReload sends a signal for each wish to read the settings anew.
func notifyReload(to chan<- os.Signal) { signal.Notify(to, syscall.SIGHUP) }
