package bson

import (
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

func TestObjectIDsAreUnique(t *testing.T) {
	const goroutines, each = 8, 20000
	ids := make([][]ObjectID, goroutines)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			for range each {
				ids[i] = append(ids[i], NewObjectID())
			}
		})
	}
	all.Wait()
	seen := make(map[ObjectID]bool)
	for _, list := range ids {
		for _, id := range list {
			if seen[id] {
				t.Fatalf("%s was made twice", id)
			}
			seen[id] = true
		}
	}
}

// The five random bytes are those of the process.
func TestObjectIDOfAnotherProcess(t *testing.T) {
	const child = "MOTOR_TEST_PRINT_OBJECT_ID"
	if os.Getenv(child) != "" {
		os.Stdout.WriteString(NewObjectID().Hex())
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestObjectIDOfAnotherProcess$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	other, err := ObjectIDFromHex(string(out))
	if err != nil {
		t.Fatal(err)
	}
	one, two := NewObjectID(), NewObjectID()
	if string(one[4:9]) != string(two[4:9]) {
		t.Errorf("%s and %s of one process differ in their random bytes", one, two)
	}
	if string(one[4:9]) == string(other[4:9]) {
		t.Errorf("%s and %s of two processes have the same random bytes", one, other)
	}
}

func TestObjectIDFromHex(t *testing.T) {
	id := NewObjectIDFromTimestamp(time.Now())
	if back, err := ObjectIDFromHex(id.Hex()); err != nil || back != id {
		t.Errorf("%s comes back as %s, %v", id, back, err)
	}
	for _, s := range []string{"", "57e193d7a9cc81b4027498b", "57e193d7a9cc81b4027498b5a", "57e193d7a9cc81b4027498bg"} {
		if id, err := ObjectIDFromHex(s); err == nil || !id.IsZero() {
			t.Errorf("%q is taken for %s, %v", s, id, err)
		}
	}
}
