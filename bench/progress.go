package main

import (
	"fmt"
	"os"
	"strings"
)

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct {
	w     *os.File
	total int
}

func newProgress(w *os.File, total int) *progress {
	info, err := w.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{w, total}
}

// show draws the bar with done of the total done, and what is next.
func (p *progress) show(done int, what string) {
	if p.w == nil {
		return
	}
	const width = 30
	full := width * done / p.total
	fmt.Fprintf(p.w, "\r\x1b[K[%s%s] %d/%d %s", strings.Repeat("█", full), strings.Repeat("·", width-full), done, p.total, what)
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
