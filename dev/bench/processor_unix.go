//go:build !windows

package main

import (
	"syscall"
	"time"
)

// processorTime is what this process has taken so far, the system's work for it
// included.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it has no other errors than those of its arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
