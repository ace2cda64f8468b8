package pool

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/motor-go/motor/bson"
)

// The driver's name and version as servers see them in client.driver.
const (
	DriverName    = "motor"
	DriverVersion = "0.1.0"
)

// maxMetadata is the size in bytes above which servers refuse the client
// document.
const maxMetadata = 512

// DriverInfo is a library that wraps the driver (DriverInfoOptions). An empty
// field is left out.
type DriverInfo struct {
	Name, Version, Platform string
}

// Metadata is the client metadata that the connections of a client share: this
// driver and the libraries around it. Its methods may be called concurrently.
type Metadata struct {
	env environment

	mu    sync.Mutex
	infos []DriverInfo
}

// NewMetadata describes this driver in the environment of the process.
func NewMetadata() *Metadata { return newMetadata(processEnvironment()) }

var defaultMetadata = sync.OnceValue(NewMetadata)

func newMetadata(env environment) *Metadata {
	return &Metadata{env: env, infos: []DriverInfo{{DriverName, DriverVersion, runtime.Version()}}}
}

// Append adds a library that wraps the driver. New connections will name it,
// unless one that is equal was added before.
func (m *Metadata) Append(info DriverInfo) error {
	for _, s := range []string{info.Name, info.Version, info.Platform} {
		if strings.Contains(s, "|") {
			return fmt.Errorf("driver info %q contains the delimiter %q", s, "|")
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.infos, info) {
		m.infos = append(m.infos, info)
	}
	return nil
}

// document is the client document of a handshake.
func (m *Metadata) document(appName string) bson.Raw {
	m.mu.Lock()
	infos := m.infos
	m.mu.Unlock()
	return clientDocument(appName, infos, m.env)
}

// clientDocument builds the client document. Until it fits, it leaves out first
// the details of the environment, then those of the operating system, then the
// environment, then the end of the platform, and at last the libraries added
// last.
func clientDocument(appName string, infos []DriverInfo, env environment) bson.Raw {
	d := clientDoc{appName: appName, os: env.os, env: env.detect()}
	d.name = joinInfos(infos, func(i DriverInfo) string { return i.Name })
	d.version = joinInfos(infos, func(i DriverInfo) string { return i.Version })
	d.platform = joinInfos(infos, func(i DriverInfo) string { return i.Platform })

	for _, shrink := range []func(){
		func() {},
		func() { d.env = envInfo{name: d.env.name} },
		func() { d.os = osInfo{kind: d.os.kind} },
		func() { d.env = envInfo{} },
		func() { d.platform = truncate(d.platform, len(d.platform)-(len(d.build())-maxMetadata)) },
	} {
		shrink()
		if doc := d.build(); len(doc) <= maxMetadata {
			return doc
		}
	}
	if len(infos) > 1 {
		return clientDocument(appName, infos[:len(infos)-1], env)
	}
	return d.build()
}

func joinInfos(infos []DriverInfo, field func(DriverInfo) string) string {
	var parts []string
	for _, i := range infos {
		if s := field(i); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "|")
}

// truncate cuts s to at most n bytes, between characters.
func truncate(s string, n int) string {
	n = max(n, 0)
	for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:min(n, len(s))]
}

// clientDoc is the client document's contents.
type clientDoc struct {
	appName, name, version, platform string
	os                               osInfo
	env                              envInfo
}

type osInfo struct{ kind, name, architecture, version string }

type envInfo struct {
	name, region          string
	timeoutSec, memoryMB  *int32
	runtime, orchestrator string
}

func (d *clientDoc) build() bson.Raw {
	dst, doc := bson.BeginDocument(nil)
	if d.appName != "" {
		var at int
		dst, at = bson.BeginEmbedded(dst, "application")
		dst = bson.EndDocument(bson.AppendString(dst, "name", d.appName), at)
	}
	dst, at := bson.BeginEmbedded(dst, "driver")
	dst = bson.AppendString(dst, "name", d.name)
	dst = bson.AppendString(dst, "version", d.version)
	dst = bson.EndDocument(dst, at)

	dst, at = bson.BeginEmbedded(dst, "os")
	dst = bson.AppendString(dst, "type", d.os.kind)
	dst = appendNonEmpty(dst, "name", d.os.name)
	dst = appendNonEmpty(dst, "architecture", d.os.architecture)
	dst = appendNonEmpty(dst, "version", d.os.version)
	dst = bson.EndDocument(dst, at)

	dst = appendNonEmpty(dst, "platform", d.platform)
	dst = d.env.append(dst)
	return bson.EndDocument(dst, doc)
}

func (e *envInfo) append(dst []byte) []byte {
	if *e == (envInfo{}) {
		return dst
	}
	dst, at := bson.BeginEmbedded(dst, "env")
	dst = appendNonEmpty(dst, "name", e.name)
	if e.timeoutSec != nil {
		dst = bson.AppendInt32(dst, "timeout_sec", *e.timeoutSec)
	}
	if e.memoryMB != nil {
		dst = bson.AppendInt32(dst, "memory_mb", *e.memoryMB)
	}
	dst = appendNonEmpty(dst, "region", e.region)
	if e.runtime != "" || e.orchestrator != "" {
		var container int
		dst, container = bson.BeginEmbedded(dst, "container")
		dst = appendNonEmpty(dst, "runtime", e.runtime)
		dst = appendNonEmpty(dst, "orchestrator", e.orchestrator)
		dst = bson.EndDocument(dst, container)
	}
	return bson.EndDocument(dst, at)
}

func appendNonEmpty(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return bson.AppendString(dst, key, s)
}

// processEnvironment is the environment of this process.
func processEnvironment() environment {
	env := environment{getenv: os.Getenv, os: osInfo{architecture: runtime.GOARCH}}
	_, err := os.Stat("/.dockerenv")
	env.docker = err == nil
	kinds := map[string]string{"linux": "Linux", "darwin": "Darwin", "windows": "Windows", "": "unknown"}
	env.os.kind = cmp.Or(kinds[runtime.GOOS], runtime.GOOS)
	return env
}
