package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// Report is all that a run of the program found.
type Report struct {
	Machine string
	Command string
	Passes  int
	Results []Result
	Memory  []Footprint `json:",omitempty"`
}

// machine says what the program runs on.
func machine() string {
	return fmt.Sprintf("%s, %d processors, %s/%s, %s", processor(), runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// processor is the processor's name where the system tells it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// command is how the program was called.
func command() string {
	return strings.Join(append([]string{"go -C bench run ."}, os.Args[1:]...), " ")
}

func (r Report) print(w io.Writer) {
	printTable(w, r.Results)
	if len(r.Memory) > 0 {
		printFootprints(w, r.Memory)
	}
	printScores(w, r.Results)
}

// write writes the files that the flags ask for.
func (b *bench) write(r Report) error {
	files := []struct {
		name string
		text func() ([]byte, error)
	}{
		{b.json, func() ([]byte, error) { return json.MarshalIndent(r, "", "\t") }},
		{b.svg, func() ([]byte, error) { return chart(r.Results), nil }},
		{b.md, func() ([]byte, error) { return markdown(r) }},
		{b.html, func() ([]byte, error) { return page(r), nil }},
	}
	for _, f := range files {
		if f.name == "" {
			continue
		}
		text, err := f.text()
		if err == nil {
			err = os.WriteFile(f.name, text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
