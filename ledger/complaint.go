package ledger

import (
	"log/slog"
	"sync"
	"time"
)

// complaintPause is for how long a kind of failure is not told of again.
const complaintPause = time.Minute

// A complaint tells in the log of one kind of failure: of the first at once, and then at
// most once a minute how many there were since.
type complaint struct {
	tell  func(count int64, err error) // of the last failure
	again string                       // what the log says when it works again; "" if that is not told

	mu    sync.Mutex
	count int64       // that was not told of yet
	err   error       // the last
	pause *time.Timer // for as long as nothing is told
	begun time.Time   // when it failed first; zero if it works
	told  bool        // the last line says that it fails
	ended bool
}

// add notes that something has failed so many times.
func (c *complaint) add(count int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count, c.err = c.count+count, err
	if c.begun.IsZero() {
		c.begun = time.Now()
	}
	if c.pause == nil {
		c.say()
	}
}

// over notes that it works again. Of what fails again during the pause nothing is told, nor
// that it works: what comes and goes would fill the log.
func (c *complaint) over() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		c.sayOver()
	}
	c.begun = time.Time{}
}

// end tells what was not told of yet, and from then on everything at once.
func (c *complaint) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.pause != nil {
		c.pause.Stop()
		c.pause = nil
	}
	c.say()
}

// say tells of all that was not told of yet, and begins a pause. The lock is held.
func (c *complaint) say() {
	if c.count == 0 {
		return
	}
	c.tell(c.count, forLog(c.err))
	c.count, c.told = 0, true
	if !c.ended {
		c.pause = time.AfterFunc(complaintPause, c.resume)
	}
}

// resume ends the pause.
func (c *complaint) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.pause = nil
	c.say()
	if c.told && c.begun.IsZero() {
		c.sayOver()
	}
}

func (c *complaint) sayOver() {
	c.told = false
	if c.again != "" {
		slog.Info(c.again)
	}
}
