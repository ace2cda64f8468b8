package main

import (
	"fmt"
	"sync"
	"time"
)

// outcome is what a worker knows of one of its writes.
type outcome byte

const (
	acknowledged outcome = iota
	unknown              // it ended with an error, and may have been made
	withdrawn            // it was taken back, and must not have been made
	refused              // the server said that it had been made before
)

// A journal is what a worker knows of its writes, by their numbers. It belongs
// to the worker until that ends.
type journal []outcome

// note writes down the outcome of the n next numbers.
func (j *journal) note(n int, o outcome) {
	for range n {
		*j = append(*j, o)
	}
}

// A tally counts what became of writes.
type tally struct {
	acknowledged, unknown, withdrawn int
	made                             int // of the unknown ones
	// None of these may happen.
	lost, doubled, unwanted, refused int
}

func (t tally) ok() bool { return t.lost+t.doubled+t.unwanted+t.refused == 0 }

// count compares a journal with how often each number was found.
func (t *tally) count(j journal, found map[int]int) {
	for n, o := range j {
		times := found[n]
		if times > 1 {
			t.doubled++
		}
		switch o {
		case acknowledged:
			t.acknowledged++
			if times == 0 {
				t.lost++
			}
		case unknown:
			t.unknown++
			if times > 0 {
				t.made++
			}
		case withdrawn:
			t.withdrawn++
			if times > 0 {
				t.unwanted++
			}
		case refused:
			t.refused++
		}
	}
	for n := range found {
		if n < 0 || n >= len(j) {
			t.unwanted++
		}
	}
}

// A failure is an operation that ended with an error, and when that was.
type failure struct {
	what         string
	began, ended time.Duration
	err          error
}

func (f failure) String() string {
	return fmt.Sprintf("%8.3f s to %8.3f s  %s: %v", f.began.Seconds(), f.ended.Seconds(), f.what, f.err)
}

// A span is the time of one step, until the next one.
type span struct {
	began, ended time.Duration
	faults       int
}

// failures are those of all workers.
type failures struct {
	mu   sync.Mutex
	list []failure
}

func (f *failures) add(one failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, one)
}

// givenUp are the operations that met one fault at most, which their one retry
// must have survived.
func givenUp(list []failure, spans []span) (needless []failure) {
	for _, f := range list {
		met := 0
		for _, s := range spans {
			if f.began <= s.ended && s.began <= f.ended {
				met += s.faults
			}
		}
		if met < 2 {
			needless = append(needless, f)
		}
	}
	return needless
}

// A transfer is an amount that moved between two accounts.
type transfer struct {
	Worker, Number   int
	From, To, Amount int
}

// balance gives the sum of all accounts, and how many of them do not hold what
// the transfers left them.
func balance(accounts map[int]int, opening int, transfers []transfer) (sum, wrong int) {
	moved := map[int]int{}
	for _, t := range transfers {
		moved[t.From] -= t.Amount
		moved[t.To] += t.Amount
	}
	for account, amount := range accounts {
		sum += amount
		if amount != opening+moved[account] {
			wrong++
		}
	}
	return sum, wrong
}
