package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	v1bson "go.mongodb.org/mongo-driver/bson"
	v1 "go.mongodb.org/mongo-driver/mongo"
	v1options "go.mongodb.org/mongo-driver/mongo/options"
	v2bson "go.mongodb.org/mongo-driver/v2/bson"
	v2 "go.mongodb.org/mongo-driver/v2/mongo"
	v2options "go.mongodb.org/mongo-driver/v2/mongo/options"
)

// openCursors is how many cursors are open when their memory is measured.
const openCursors = 1000

// Footprint is what a driver keeps, in bytes of heap and stacks.
type Footprint struct {
	Name string
	// Client is for one that has run a command and is idle now.
	Client float64
	// Cursor is for one whose first batch of 101 small documents is half read.
	Cursor float64
	// Goroutines are those of an idle client.
	Goroutines float64
}

// holder opens cursors of a driver and holds them.
type holder struct {
	ping  func(ctx context.Context) error
	open  func(ctx context.Context) (held any, err error)
	close func()
}

// footprints measures all drivers.
func (b *bench) footprints(ctx context.Context) (list []Footprint, err error) {
	for _, d := range []struct {
		name    string
		connect func(uri string) (holder, error)
	}{{Own, holdMotor}, {Official, holdV2}, {Legacy, holdV1}} {
		f, err := footprint(ctx, d.name, func() (holder, error) { return d.connect(b.env.connection(plain).uri) })
		if err != nil {
			return nil, fmt.Errorf("memory, %s: %w", d.name, err)
		}
		list = append(list, f)
	}
	return list, nil
}

func footprint(ctx context.Context, name string, connect func() (holder, error)) (Footprint, error) {
	const clients = 20
	f := Footprint{Name: name}
	goroutines, before := runtime.NumGoroutine(), inUse()
	var held []holder
	defer func() {
		for _, h := range held {
			h.close()
		}
	}()
	for range clients {
		h, err := connect()
		if err != nil {
			return f, err
		}
		held = append(held, h)
		if err := h.ping(ctx); err != nil {
			return f, err
		}
	}
	f.Client = (inUse() - before) / clients
	f.Goroutines = float64(runtime.NumGoroutine()-goroutines) / clients

	before = inUse()
	cursors := make([]any, openCursors)
	for i := range cursors {
		var err error
		if cursors[i], err = held[0].open(ctx); err != nil {
			return f, err
		}
	}
	f.Cursor = (inUse() - before) / openCursors
	runtime.KeepAlive(cursors)
	return f, nil
}

// inUse is the memory that is in use after a garbage collection.
func inUse() float64 {
	time.Sleep(50 * time.Millisecond) // goroutines that end need a moment
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

const manySmall = "small_10000"

func holdMotor(uri string) (holder, error) {
	client, err := motor.Connect(context.Background(), uri)
	if err != nil {
		return holder{}, err
	}
	coll := client.Database(database).Collection(manySmall)
	return holder{
		ping: func(ctx context.Context) error { return client.Ping(ctx, nil) },
		open: func(ctx context.Context) (any, error) {
			cursor, err := coll.FindCursor(ctx, bson.D{})
			for i := 0; err == nil && i < firstBatch/2; i++ {
				cursor.Next(ctx)
			}
			return cursor, err
		},
		close: func() { client.Close(context.Background()) },
	}, nil
}

func holdV2(uri string) (holder, error) {
	client, err := v2.Connect(v2options.Client().ApplyURI(uri))
	if err != nil {
		return holder{}, err
	}
	coll := client.Database(database).Collection(manySmall)
	return holder{
		ping: func(ctx context.Context) error { return client.Ping(ctx, nil) },
		open: func(ctx context.Context) (any, error) {
			cursor, err := coll.Find(ctx, v2bson.D{})
			for i := 0; err == nil && i < firstBatch/2; i++ {
				cursor.Next(ctx)
			}
			return cursor, err
		},
		close: func() { client.Disconnect(context.Background()) },
	}, nil
}

func holdV1(uri string) (holder, error) {
	client, err := v1.Connect(context.Background(), v1options.Client().ApplyURI(uri))
	if err != nil {
		return holder{}, err
	}
	coll := client.Database(database).Collection(manySmall)
	return holder{
		ping: func(ctx context.Context) error { return client.Ping(ctx, nil) },
		open: func(ctx context.Context) (any, error) {
			cursor, err := coll.Find(ctx, v1bson.D{})
			for i := 0; err == nil && i < firstBatch/2; i++ {
				cursor.Next(ctx)
			}
			return cursor, err
		},
		close: func() { client.Disconnect(context.Background()) },
	}, nil
}

// printFootprints writes a table of what the drivers keep.
func printFootprints(w io.Writer, list []Footprint) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "memory\tidle client\tgoroutines\topen cursor\t1,000 open cursors\t")
	for _, f := range list {
		fmt.Fprintf(tw, "%s\t%s\t%.0f\t%s\t%s\t\n", f.Name, size(f.Client), f.Goroutines, size(f.Cursor), size(openCursors*f.Cursor))
	}
	tw.Flush()
	fmt.Fprintln(w)
}
