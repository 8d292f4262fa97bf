//go:build !windows

package main

import (
	"syscall"
	"time"
)

// sayGoroutines asks the program how many goroutines it has.
const sayGoroutines = syscall.SIGUSR1

// processorTime is what this process has taken so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for no process's own
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
