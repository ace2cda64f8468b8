package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// data are the documents of the drivers' common benchmark, as JSON.
type data struct {
	// specs is a checkout of the specifications, "" to use the module cache.
	specs string
	// module is the directory of the module that carries them otherwise.
	module string
}

// fallbackModule is the newest release of the official driver that contains
// the documents, and its sum.
const (
	fallbackModule = "go.mongodb.org/mongo-driver/v2@v2.2.3"
	fallbackSum    = "h1:72uiGYXeSnUEQk37xvV9r067xzFQod4SOeAoOuq3+GM="
)

// read is the file name of the archive, such as tweet.json of
// single_and_multi_document.
func (d *data) read(ctx context.Context, archive, name string) ([]byte, error) {
	if d.specs != "" {
		return readArchive(filepath.Join(d.specs, "source/benchmarking/data", archive+".tgz"), name)
	}
	if d.module == "" {
		var err error
		if d.module, err = fetch(ctx); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(filepath.Join(d.module, "testdata", archive, name+".gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// readArchive is one file of a compressed tar archive, whatever folder of it
// the file is in.
func readArchive(archive, name string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s contains no %s", archive, name)
		}
		if err != nil {
			return nil, err
		}
		if path.Base(h.Name) == name {
			return io.ReadAll(r)
		}
	}
}

// fetch has the go command put the fallback module into its cache, and is its
// directory.
func fetch(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", fallbackModule).Output()
	var module struct{ Dir, Sum, Error string }
	if json.Unmarshal(out, &module) != nil {
		return "", fmt.Errorf("go mod download %s: %w; or name a checkout of the specifications with -specs", fallbackModule, err)
	}
	if module.Error != "" {
		return "", errors.New(module.Error)
	}
	if module.Sum != fallbackSum {
		return "", fmt.Errorf("%s has the sum %s instead of %s", fallbackModule, module.Sum, fallbackSum)
	}
	return module.Dir, nil
}
