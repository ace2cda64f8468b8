module github.com/motor-go/motor

go 1.26.0

require (
	github.com/klauspost/compress v1.20.3
	github.com/miekg/dns v1.1.73
	github.com/tidwall/btree v1.8.2
	github.com/xdg-go/stringprep v1.0.4
	golang.org/x/text v0.43.0
)

require (
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
