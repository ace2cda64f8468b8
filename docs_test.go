package motor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// goBlock is a block of Go code in a document; one of another driver says so
// behind the word go, and is not for us to compile.
var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// docPrelude is what the pieces of code in documents take for granted.
const docPrelude = `package docs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/gridfs"
	"github.com/motor-go/motor/mongotest"
)

type Planet struct {
	Name  string ` + "`bson:\"_id\"`" + `
	Moons []Moon
	Rings bool
	Mass  float64
}

type Moon struct {
	Name   string
	Radius int
}

var (
	ctx     context.Context
	t       *testing.T
	client  *motor.Client
	db      *motor.Database
	planets *motor.Collection[Planet]
	err     error
	uri     string
	bucket  *gridfs.Bucket
	rs      *mongotest.ReplicaSet
	// What follows keeps the imports in use.
	_ bytes.Buffer
	_ = errors.Is
	_ = fmt.Sprint
	_ *tls.Config
	_ concern.Mode
	_ io.Reader
	_ = log.Fatal
	_ *slog.Logger
	_ http.Handler
	_ = os.Exit
	_ = synctest.Test
	_ time.Time
	_ bson.D
	_ event.Observer
)
`

// The code in the documents must compile, whatever becomes of the API.
func TestDocumentsCompile(t *testing.T) {
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	dir := t.TempDir()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, text string) {
		real := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(real, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, "internal/doccode", name)] = real
	}
	add("prelude.go", docPrelude)
	n := 0
	for _, file := range append(files, "README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range goBlock.FindAllSubmatchIndex(text, -1) {
			code, line := string(text[m[2]:m[3]]), 1+strings.Count(string(text[:m[2]]), "\n")
			n++
			if strings.HasPrefix(code, "package main") {
				add(fmt.Sprintf("main%d/main.go", n), fmt.Sprintf("//line %s:%d\n%s", file, line, code))
				continue
			}
			if !strings.HasPrefix(code, "func ") {
				code = fmt.Sprintf("func _() error {\n//line %s:%d\n%s\nreturn nil\n}\n", file, line, code)
			} else {
				code = fmt.Sprintf("//line %s:%d\n%s", file, line, code)
			}
			add(fmt.Sprintf("code%d.go", n), importsOf(code)+code)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "-overlay", overlayFile, "./internal/doccode/...").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		// A piece of code may end before it does anything with a result.
		if !strings.Contains(line, "declared and not used") && !strings.HasPrefix(line, "#") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if n < 10 {
		t.Errorf("only %d pieces of code were found: %v", n, err)
	}
}

// importsOf is the head of a file with the imports that the code needs.
func importsOf(code string) string {
	var b strings.Builder
	b.WriteString("package docs\n\nimport (\n")
	for line := range strings.Lines(docPrelude) {
		path := strings.Trim(strings.TrimSpace(line), `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if strings.HasPrefix(line, "\t\"") && regexp.MustCompile(`\b`+name+`\.[A-Z]`).MatchString(code) {
			b.WriteString(line)
		}
	}
	b.WriteString(")\n")
	return b.String()
}
