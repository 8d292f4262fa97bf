package main

import (
	"syscall"
	"time"
)

// processorTime is what this process has taken so far, the system's work for it
// included.
func processorTime() time.Duration {
	var created, ended, system, own syscall.Filetime
	process, err := syscall.GetCurrentProcess()
	if err == nil {
		err = syscall.GetProcessTimes(process, &created, &ended, &system, &own)
	}
	if err != nil {
		panic(err) // it has no other errors than those of its arguments
	}
	return span(system) + span(own)
}

// span returns a length of time that Windows counts in steps of 100 ns.
func span(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
