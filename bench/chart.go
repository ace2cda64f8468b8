package main

import (
	"bytes"
	"fmt"
	"html"
)

// chart draws the shares of all drivers as bars, an SVG image.
func chart(results []Result) []byte {
	const bar, gap, left, width, right = 14, 10, 220, 520, 120
	colors := []string{"#1a7f5a", "#8a8f98", "#c2a24c", "#5f7fb0", "#a65f8f"}
	longest, height := 1.0, gap
	for _, r := range results {
		height += len(r.Drivers)*bar + gap
		for _, d := range r.Drivers {
			longest = max(longest, d.Share)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n",
		left+width+right, height)
	y := gap
	for _, r := range results {
		fmt.Fprintf(&b, `<text x="4" y="%d">%s</text>`+"\n", y+bar-3, html.EscapeString(r.Group+" "+r.Name))
		for i, d := range r.Drivers {
			length := d.Share / longest * width
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, y, length, bar-2, colors[i%len(colors)])
			fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s %.2f</text>`+"\n", left+length+4, y+bar-4, html.EscapeString(d.Name), d.Share)
			y += bar
		}
		y += gap
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func page(results []Result) []byte { return chart(results) }
