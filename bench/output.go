package main

import (
	"encoding/json"
	"os"
)

// write writes the files that the flags ask for.
func (b *bench) write(results []Result) error {
	files := []struct {
		name string
		text func() ([]byte, error)
	}{
		{b.json, func() ([]byte, error) { return json.MarshalIndent(results, "", "\t") }},
		{b.svg, func() ([]byte, error) { return chart(results), nil }},
		{b.html, func() ([]byte, error) { return page(results), nil }},
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
