package spectests

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// logCollector is a slog.Handler that keeps the messages of a client.
type logCollector struct {
	mu       sync.Mutex
	messages []logMessage
}

// logMessage is one message with what is attached to it, as a document.
type logMessage struct {
	level     slog.Level
	component string
	data      bson.Raw
	failure   error
}

func (l logMessage) String() string { return fmt.Sprintf("%v %s: %v", l.level, l.component, l.data) }

// logLevels are the levels of the format by their names.
var logLevels = map[string]slog.Level{
	"emergency": motor.LevelEmergency, "alert": motor.LevelAlert, "critical": motor.LevelCritical,
	"error": slog.LevelError, "warning": slog.LevelWarn, "notice": motor.LevelNotice,
	"info": slog.LevelInfo, "debug": slog.LevelDebug, "trace": motor.LevelTrace,
}

// configure has the client log what components asks for.
func (c *logCollector) configure(o *motor.ClientOptions, components bson.Raw) error {
	o.Logger = slog.New(c)
	o.LogMaxDocumentLength = 1 << 20 // documents are to be read again
	o.LogLevels = motor.LogLevels{Command: motor.LevelOff, Topology: motor.LevelOff, ServerSelection: motor.LevelOff, Connection: motor.LevelOff}
	for component, v := range components.All() {
		name, _ := v.Str()
		level, ok := logLevels[name]
		if !ok {
			return malformedf("the log level %v is not supported", v)
		}
		switch component {
		case "command":
			o.LogLevels.Command = level
		case "topology":
			o.LogLevels.Topology = level
		case "serverSelection":
			o.LogLevels.ServerSelection = level
		case "connection":
			o.LogLevels.Connection = level
		default:
			return malformedf("the log component %q is not supported", component)
		}
	}
	return nil
}

func (c *logCollector) Enabled(context.Context, slog.Level) bool { return true }

func (c *logCollector) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c *logCollector) WithGroup(string) slog.Handler { return c }

func (c *logCollector) Handle(_ context.Context, r slog.Record) error {
	m := logMessage{level: r.Level}
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendString(doc, "message", r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "component" {
			m.component = a.Value.String()
			return true
		}
		switch v := a.Value.Any().(type) {
		case error:
			m.failure = v
			doc = bson.AppendString(doc, a.Key, v.Error())
		default:
			var err error
			if doc, err = bson.AppendAny(doc, a.Key, v); err != nil {
				doc = bson.AppendString(doc, a.Key, a.Value.String())
			}
		}
		return true
	})
	m.data = bson.EndDocument(doc, at)
	if m.component == "" {
		return nil // no message of a specification
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, m)
	return nil
}

func (c *logCollector) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = nil
}

// expectedMessages is an expectedLogMessagesForClient.
type expectedMessages struct {
	Client              string
	Messages            []expectedMessage
	IgnoreMessages      []expectedMessage `spec:"optional"`
	IgnoreExtraMessages bool              `spec:"optional"`
}

type expectedMessage struct {
	Level             string
	Component         string
	FailureIsRedacted *bool `spec:"optional"`
	Data              bson.Raw
}

func (x expectedMessages) check(m matcher, c *logCollector) error {
	c.mu.Lock()
	var list []logMessage
	for _, got := range c.messages {
		if !x.ignores(m, got) {
			list = append(list, got)
		}
	}
	c.mu.Unlock()
	for i, want := range x.Messages {
		if i >= len(list) {
			return fmt.Errorf("message %d of %s is missing: %v%s", i, x.Client, want.Data, logTranscript(list))
		}
		if err := want.match(m, list[i]); err != nil {
			return fmt.Errorf("message %d of %s: %w%s", i, x.Client, err, logTranscript(list))
		}
	}
	if len(list) > len(x.Messages) && !x.IgnoreExtraMessages {
		return fmt.Errorf("%s has logged %d messages, want %d%s", x.Client, len(list), len(x.Messages), logTranscript(list))
	}
	return nil
}

func (x expectedMessages) ignores(m matcher, got logMessage) bool {
	for _, ignored := range x.IgnoreMessages {
		if ignored.match(m, got) == nil {
			return true
		}
	}
	return false
}

func logTranscript(list []logMessage) string {
	var b strings.Builder
	b.WriteString("\nlogged:")
	for _, l := range list {
		fmt.Fprintf(&b, "\n  %v", l)
	}
	return b.String()
}

func (x expectedMessage) match(m matcher, got logMessage) error {
	level, ok := logLevels[x.Level]
	if !ok {
		return malformedf("the log level %q is not supported", x.Level)
	}
	if got.level != level {
		return fmt.Errorf("level is %v, want %v", got.level, level)
	}
	if got.component != x.Component {
		return fmt.Errorf("component is %q, want %q", got.component, x.Component)
	}
	if err := m.match("data", document(x.Data), document(got.data), true); err != nil {
		return err
	}
	if x.FailureIsRedacted != nil && *x.FailureIsRedacted != got.redacted() {
		return fmt.Errorf("failure is %v, want it redacted: %v", got.failure, *x.FailureIsRedacted)
	}
	return nil
}

// redacted reports whether the failure is a server's error without its message
// and reply.
func (l logMessage) redacted() bool {
	e, ok := l.failure.(*motor.CommandError)
	return ok && e.Message == "" && e.Reply == nil
}
