// Changes shows on a web page each change of a collection as it happens.
//
//	go -C examples run ./changes
//	go -C examples run ./changes -uri mongodb://localhost:27017/?replicaSet=rs0 -ns shop.orders
//
// Without -uri it starts a replica set inside this process. The page comes over
// HTTP and listens on a WebSocket. It knows how far it has come, as a resume
// token: if it loses its connection, or its phone sleeps, it goes on from there.
// A form on the page writes to the collection; -readonly leaves it out.
//
// A deployment of one's own must be a replica set or sharded, of MongoDB 4.2 or
// newer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

func main() {
	uri := flag.String("uri", "", "watch this deployment instead of an embedded one")
	ns := flag.String("ns", "demo.things", "the collection to watch, as `database.collection`")
	addr := flag.String("addr", "127.0.0.1:8080", "where to serve the page")
	keep := flag.Int("keep", 100, "how many changes to keep for pages that come later")
	readonly := flag.Bool("readonly", false, "leave out the form that writes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *uri, *ns, *addr, *keep, *readonly)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, uri, ns, addr string, keep int, readonly bool) error {
	db, name, ok := strings.Cut(ns, ".")
	if !ok || db == "" || name == "" {
		return fmt.Errorf("-ns %s: it must be of the form database.collection", ns)
	}
	if uri == "" {
		rs, err := mongotest.StartReplicaSet(mongotest.Options{})
		if err != nil {
			return err
		}
		defer rs.Close()
		uri = rs.URI()
	}
	client, err := motor.Connect(ctx, uri)
	if err != nil {
		return err
	}
	defer client.Close(context.WithoutCancel(ctx))
	coll := motor.CollectionOf[bson.Raw](client.Database(db), name)
	f, err := startFeed(ctx, coll, keep)
	if err != nil {
		return fmt.Errorf("watching %s: %w", ns, err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("The changes of %s are at http://%s/\n", ns, l.Addr())
	return serve(ctx, l, newHandler(f, coll, !readonly))
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
