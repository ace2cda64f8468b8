package motor

import (
	"context"
	"log/slog"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// The levels of the logging specification that package slog has no name for.
const (
	LevelTrace     = slog.LevelDebug - 4
	LevelNotice    = slog.LevelInfo + 2
	LevelCritical  = slog.LevelError + 4
	LevelAlert     = slog.LevelError + 8
	LevelEmergency = slog.LevelError + 12
	// LevelOff is more severe than anything that is logged.
	LevelOff = slog.Level(math.MaxInt)
)

// LogLevels are the least severe levels that are logged of each component. A
// nil level leaves that to the Logger's handler.
type LogLevels struct {
	Command, Topology, ServerSelection, Connection slog.Leveler
}

// defaultMaxDocumentLength is that of the logging specification.
const defaultMaxDocumentLength = 1000

// logger turns events into messages. Each has the attribute component, and the
// others that the specification of its event names.
type logger struct {
	to     *slog.Logger
	length int // of documents, in bytes
}

// component logs the messages of one component.
type component struct {
	logger
	name  slog.Attr
	level slog.Leveler
}

func (l logger) component(name string, level slog.Leveler) component {
	return component{l, slog.String("component", name), level}
}

func (c component) enabled(level slog.Level) bool {
	return (c.level == nil || level >= c.level.Level()) && c.to.Enabled(context.Background(), level)
}

// log writes a message if somebody wants it. The attributes are computed only
// then.
func (c component) log(level slog.Level, message string, attrs func() []slog.Attr) {
	if c.enabled(level) {
		c.to.LogAttrs(context.Background(), level, message, append(attrs(), c.name)...)
	}
}

func (c component) debug(message string, attrs func() []slog.Attr) {
	c.log(slog.LevelDebug, message, attrs)
}

// document is doc as relaxed Extended JSON, cut off if it is too long.
func (l logger) document(key string, doc bson.Raw) slog.Attr {
	return slog.String(key, event.Truncate(doc.String(), l.length))
}

// server is the address of a server: a host with a port, or the path of a
// socket.
func server(addr string, attrs ...slog.Attr) []slog.Attr {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return append(attrs, slog.String("serverHost", addr))
	}
	n, _ := strconv.Atoi(port)
	return append(attrs, slog.String("serverHost", host), slog.Int("serverPort", n))
}

func durationMS(d time.Duration) slog.Attr {
	return slog.Float64("durationMS", float64(d)/float64(time.Millisecond))
}

// observer is an Observer that logs. What can never be logged it does not
// listen to.
func (l logger) observer(levels LogLevels) *event.Observer {
	o := new(event.Observer)
	if c := l.component("command", levels.Command); c.hears(slog.LevelDebug) {
		c.observeCommands(o)
	}
	if c := l.component("connection", levels.Connection); c.hears(slog.LevelDebug) {
		c.observePools(o)
	}
	if c := l.component("topology", levels.Topology); c.hears(slog.LevelDebug) {
		c.observeTopology(o)
	}
	if c := l.component("serverSelection", levels.ServerSelection); c.hears(slog.LevelInfo) {
		c.observeSelection(o)
	}
	return o
}

// hears reports whether messages of the level can be wanted some day.
func (c component) hears(level slog.Level) bool {
	least, fixed := c.level.(slog.Level)
	return !fixed || level >= least
}
