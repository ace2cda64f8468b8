package motor

import (
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/motor-go/motor/event"
)

// The environment variables of the logging specification. They count where
// ClientOptions say nothing.
const (
	envLogAll             = "MONGODB_LOG_ALL"
	envLogCommand         = "MONGODB_LOG_COMMAND"
	envLogTopology        = "MONGODB_LOG_TOPOLOGY"
	envLogServerSelection = "MONGODB_LOG_SERVER_SELECTION"
	envLogConnection      = "MONGODB_LOG_CONNECTION"
	envLogPath            = "MONGODB_LOG_PATH"
	envLogLength          = "MONGODB_LOG_MAX_DOCUMENT_LENGTH"
)

var envLevels = map[string]slog.Level{
	"off": LevelOff, "emergency": LevelEmergency, "alert": LevelAlert, "critical": LevelCritical, "error": slog.LevelError,
	"warn": slog.LevelWarn, "notice": LevelNotice, "info": slog.LevelInfo, "debug": slog.LevelDebug, "trace": LevelTrace,
}

// logging sets the Logger and the Observer that o ask for, or the environment
// if o have no Logger.
func (o ClientOptions) logging() ClientOptions {
	l := logger{to: o.Logger, length: o.LogMaxDocumentLength}
	if l.length <= 0 {
		l.length = envLength()
	}
	levels := o.LogLevels
	if l.to == nil {
		var wanted bool
		if levels, wanted = logLevelsFromEnv(); !wanted {
			return o
		}
		l.to = slog.New(slog.NewJSONHandler(envDestination(), &slog.HandlerOptions{Level: LevelTrace}))
	}
	o.Logger = l.to
	o.Observer = event.Join(o.Observer, l.observer(levels))
	return o
}

// logLevelsFromEnv are the levels that the environment sets, and whether any
// of them lets a message through.
func logLevelsFromEnv() (l LogLevels, wanted bool) {
	all, ok := envLevels[strings.ToLower(os.Getenv(envLogAll))]
	if !ok {
		all = LevelOff
	}
	level := func(name string) slog.Leveler {
		l, ok := envLevels[strings.ToLower(os.Getenv(name))]
		if !ok {
			l = all
		}
		wanted = wanted || l != LevelOff
		return l
	}
	l = LogLevels{
		Command: level(envLogCommand), Topology: level(envLogTopology),
		ServerSelection: level(envLogServerSelection), Connection: level(envLogConnection),
	}
	return l, wanted
}

func envLength() int {
	n, err := strconv.Atoi(os.Getenv(envLogLength))
	if err != nil || n < 0 {
		return defaultMaxDocumentLength
	}
	return n
}

// envFiles are the files that were opened, by their paths. The clients of a
// process share them.
var envFiles struct {
	sync.Mutex
	byPath map[string]*os.File
}

// envDestination is where the environment has messages go: standard error if
// the file cannot be opened.
func envDestination() io.Writer {
	path := os.Getenv(envLogPath)
	switch strings.ToLower(path) {
	case "stdout":
		return os.Stdout
	case "", "stderr":
		return os.Stderr
	}
	envFiles.Lock()
	defer envFiles.Unlock()
	if f := envFiles.byPath[path]; f != nil {
		return f
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return os.Stderr
	}
	if envFiles.byPath == nil {
		envFiles.byPath = map[string]*os.File{}
	}
	envFiles.byPath[path] = f
	return f
}
