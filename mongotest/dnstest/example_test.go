package dnstest_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/mongotest/dnstest"
)

// A client finds its servers by the SRV records of a name.
func Example() {
	server, err := mongotest.StartStandalone(mongotest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Address())
	names, err := dnstest.Start(append(
		dnstest.SRV("db.example.test", "a.example.test:"+port),
		"a.example.test. 60 IN A 127.0.0.1")...)
	if err != nil {
		log.Fatal(err)
	}
	defer names.Close()

	ctx := context.Background()
	client, err := motor.Connect(ctx, "mongodb+srv://db.example.test/?tls=false", motor.ClientOptions{
		DNS: []string{names.Addr()},
		// The servers themselves are looked up by the system, which does not know them.
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Address())
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.Ping(ctx, nil))
	// Output: <nil>
}
