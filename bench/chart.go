package main

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartLeft  = 330 // the names of the cases
	chartScale = 560 // the bar of the baseline
	chartRight = 130 // the figures
	rowHeight  = 22
	headHeight = 34
)

// charted are the results that the chart shows: the main cases, round trips
// first.
func charted(results []Result) (rows []Result) {
	for _, r := range results {
		if r.own().Share > 0 && r.Baseline == Official && !strings.Contains(r.Group, ",") && !strings.HasPrefix(r.Group, "scale") {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Result) int {
		return cmp.Compare(strings.Index(a.Group, "bson"), strings.Index(b.Group, "bson"))
	})
	return rows
}

// chart draws each case as a bar, as long as our share of the official driver's
// CPU time, with a mark for the bare connection. An SVG image.
func chart(results []Result) []byte {
	rows := charted(results)
	height := headHeight + 16
	for i, r := range rows {
		if i == 0 || rows[i-1].Group != r.Group {
			height += rowHeight
		}
		height += rowHeight
	}
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="12">`,
		chartLeft+chartScale+chartRight, height)
	p(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	p(`<text x="8" y="20" font-weight="bold" fill="#1f2933">CPU time per operation, official driver %s = 100 %%</text>`, Official)
	p(`<rect x="%d" y="10" width="12" height="12" fill="#1a7f5a"/><text x="%d" y="20" fill="#1f2933">%s</text>`, chartLeft+60, chartLeft+77, Own)
	p(`<rect x="%d" y="10" width="12" height="12" fill="#dde1e6"/><text x="%d" y="20" fill="#1f2933">official %s</text>`, chartLeft+140, chartLeft+157, Official)
	p(`<rect x="%d" y="8" width="3" height="16" fill="#b3261e"/><text x="%d" y="20" fill="#1f2933">bare connection, same bytes</text>`, chartLeft+262, chartLeft+270)
	y := headHeight
	for i, r := range rows {
		if i == 0 || rows[i-1].Group != r.Group {
			p(`<text x="8" y="%d" font-weight="bold" fill="#52606d">%s</text>`, y+15, html.EscapeString(r.Group))
			y += rowHeight
		}
		drawRow(p, y, r)
		y += rowHeight
	}
	p(`</svg>`)
	return b.Bytes()
}

// drawRow draws the bars of one case.
func drawRow(p func(string, ...any), y int, r Result) {
	own := r.own()
	length := min(own.Share, 1.2) * chartScale
	p(`<text x="%d" y="%d" text-anchor="end" fill="#1f2933">%s</text>`, chartLeft-10, y+15, html.EscapeString(r.Name))
	p(`<rect x="%d" y="%d" width="%d" height="%d" fill="#dde1e6"/>`, chartLeft, y+3, chartScale, rowHeight-6)
	p(`<rect x="%d" y="%d" width="%.1f" height="%d" fill="#1a7f5a"/>`, chartLeft, y+3, length, rowHeight-6)
	if floor := r.driver(Floor); floor.Share > 0 {
		p(`<rect x="%.1f" y="%d" width="3" height="%d" fill="#b3261e"/>`, chartLeft+min(floor.Share, 1.2)*chartScale-1.5, y+1, rowHeight-2)
	}
	p(`<text x="%d" y="%d" fill="#1f2933">%.0f %% · %s</text>`, chartLeft+chartScale+8, y+15, 100*own.Share, duration(own.CPU))
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
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; margin: 2rem auto; max-width: 64rem; padding: 0 1rem }
figure { margin: 0; overflow-x: auto }
table { border-collapse: collapse; margin: 1.5rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #e4e7eb; white-space: nowrap }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left }
tr.own { background: #e8f5ef }
</style>
<h1>motor against its peers</h1>
<p>{{.Report.Machine}}<br><code>{{.Report.Command}}</code></p>
<figure>{{.Chart}}</figure>
<table>
<tr><th>case<th>driver<th>time<th>CPU<th>CPU share<th>allocations<th>bytes
{{range .Report.Results}}{{$case := .}}{{range .Drivers}}<tr{{if eq .Name "motor"}} class="own"{{end}}><td>{{$case.Group}}: {{$case.Name}}<td>{{.Name}}<td>{{duration .Time}}<td>{{duration .CPU}}<td>{{percent .Share}}<td>{{count .Allocs}}<td>{{size .Allocated}}
{{end}}{{end}}</table>
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
