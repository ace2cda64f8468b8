package main

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"strings"
)

// The chart's measures, in pixels.
const (
	lineHeight  = 21
	barHeight   = 13
	barScale    = 215 // the official driver's bar
	barMost     = 1.1 // how many times that a bar is at most
	figureWidth = 52
	chartMargin = 16
	chartTop    = 84
)

// chartColumns are the columns of the chart: the width of the names, and which
// groups are there.
var chartColumns = []struct {
	names int
	bson  bool
}{{258, false}, {52, true}}

// chartStyle has the colours, for light and for dark pages.
const chartStyle = `
svg { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
.page { fill: #ffffff } .text { fill: #1f2328 } .muted { fill: #59636e } .group { fill: #1f2328; font-weight: 600 }
.title { font-size: 17px; font-weight: 600 } .figure { font-variant-numeric: tabular-nums; font-weight: 600 }
.official { fill: #dde3ea } .own { fill: #17855f } .floor { fill: #d9480f }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } .text, .group { fill: #e6edf3 } .muted { fill: #9da7b3 }
.official { fill: #343c47 } .own { fill: #35b387 } .floor { fill: #ff9359 }
}`

// charted are the results that the chart shows: the main cases.
func charted(results []Result, bson bool) (rows []Result) {
	for _, r := range results {
		if r.own().Share > 0 && r.main() && strings.HasPrefix(r.Group, "bson") == bson {
			rows = append(rows, r)
		}
	}
	return rows
}

// chart draws each case as a bar, as long as our share of the official driver's
// CPU time, with a mark for the bare connection. An SVG image.
func chart(results []Result) []byte {
	var body bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&body, format+"\n", args...) }
	x, height := chartMargin, 0
	for _, column := range chartColumns {
		rows := charted(results, column.bson)
		if len(rows) == 0 {
			continue
		}
		y, left := chartTop, x+column.names
		for i, r := range rows {
			if i == 0 || rows[i-1].Group != r.Group {
				y += lineHeight / 2
				p(`<text class="group" x="%d" y="%d">%s</text>`, x, y+15, html.EscapeString(r.Group))
				y += lineHeight
			}
			drawCase(p, left, y, r)
			y += lineHeight
		}
		x = left + barScale*11/10 + figureWidth + chartMargin
		height = max(height, y)
	}
	var b bytes.Buffer
	width := max(x, 560)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`+"\n", width, height+chartMargin)
	fmt.Fprintf(&b, "<style>%s</style>\n"+`<rect class="page" width="100%%" height="100%%"/>`+"\n", chartStyle)
	fmt.Fprintf(&b, `<text class="text title" x="%d" y="30">CPU time per operation: shorter is better</text>`+"\n", chartMargin)
	drawLegend(&b)
	b.Write(body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// drawLegend says which bar is whose.
func drawLegend(b *bytes.Buffer) {
	x := chartMargin
	for _, entry := range []struct {
		class, text string
		mark, width int
	}{
		{"own", "motor", 22, 90},
		{"official", "the official driver " + Official + " = 100 %", 22, 270},
		{"floor", "a bare connection that sends and receives the same bytes", 4, 0},
	} {
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="50" width="%d" height="%d" rx="2"/><text class="text" x="%d" y="61">%s</text>`+"\n",
			entry.class, x, entry.mark, barHeight, x+entry.mark+7, entry.text)
		x += entry.width
	}
}

// drawCase draws the bars of one case, with its name to the left.
func drawCase(p func(string, ...any), x, y int, r Result) {
	own, official, floor := r.own(), r.driver(Official), r.driver(Floor)
	top, base := y+(lineHeight-barHeight)/2, y+15
	length := func(share float64) float64 { return min(share, barMost) * barScale }
	p(`<g><title>%s: motor %s, %s %s</title>`, html.EscapeString(r.Name), duration(own.CPU), Official, duration(official.CPU))
	p(`<text class="muted" x="%d" y="%d" text-anchor="end">%s</text>`, x-8, base, html.EscapeString(r.Name))
	p(`<rect class="official" x="%d" y="%d" width="%d" height="%d" rx="2"/>`, x, top, barScale, barHeight)
	p(`<rect class="own" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, x, top, length(own.Share), barHeight)
	if floor.Share > 0 {
		p(`<rect class="floor" x="%.1f" y="%d" width="4" height="%d" rx="1"/>`, float64(x)+max(0, length(floor.Share)-2), top-3, barHeight+6)
	}
	p(`<text class="text figure" x="%.0f" y="%d" text-anchor="end">%.0f %%</text></g>`, float64(x)+barScale*barMost+figureWidth-8, base, 100*own.Share)
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"duration": duration, "size": size,
	"percent": func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
	"count":   func(n float64) string { return fmt.Sprintf("%.4g", n) },
}).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>motor against its peers</title>
<style>
:root { color-scheme: light dark; --text: #1f2328; --page: #fff; --line: #e4e7eb; --own: #e6f5ee }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --page: #0d1117; --line: #2a313c; --own: #10291f } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem auto; max-width: 68rem; padding: 0 1rem }
figure { margin: 0; overflow-x: auto }
code { overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: 1.5rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left }
tr.own { background: var(--own) }
</style>
<h1>motor against its peers</h1>
<p>{{.Report.Machine}}<br><code>{{.Report.Command}}</code></p>
<figure>{{.Chart}}</figure>
<div class="wide"><table>
<tr><th>case<th>driver<th>time<th>CPU<th>CPU share<th>allocations<th>bytes
{{range .Report.Results}}{{$case := .}}{{range .Drivers}}<tr{{if eq .Name "motor"}} class="own"{{end}}><td>{{$case.Group}}: {{$case.Name}}<td>{{.Name}}<td>{{duration .Time}}<td>{{duration .CPU}}<td>{{percent .Share}}<td>{{count .Allocs}}<td>{{size .Allocated}}
{{end}}{{end}}</table></div>
</html>
`))

// page is a web page with the chart and the table.
func page(r Report) []byte {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, struct {
		Report Report
		Chart  template.HTML
	}{r, template.HTML(chart(r.Results))})
	if err != nil {
		panic(err) // the template does not fit the report
	}
	return b.Bytes()
}
