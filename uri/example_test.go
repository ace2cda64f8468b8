package uri_test

import (
	"context"
	"fmt"

	"github.com/motor-go/motor/mongotest/dnstest"
	"github.com/motor-go/motor/uri"
)

func ExampleParse() {
	c, warnings, err := uri.Parse("mongodb://alice:secret@a.example.com,b.example.com/shop?replicaSet=rs0&journal=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Hosts, c.ReplicaSet, c.ConnectTimeout)
	fmt.Println(c)
	fmt.Println(warnings[0])
	// Output:
	// [a.example.com:27017 b.example.com:27017] rs0 10s
	// mongodb://alice:***@a.example.com:27017,b.example.com:27017/shop?replicaSet=rs0&journal=true
	// connection string option journal=1: a deprecated way to say true
}

func ExampleResolver_Resolve() {
	server, err := dnstest.Start(append(dnstest.SRV("shop.example.test", "a.example.test:27017", "b.example.test:27017"),
		`shop.example.test. 60 IN TXT "replicaSet=rs0"`)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	c, _, err := uri.Parse("mongodb+srv://shop.example.test")
	if err != nil {
		fmt.Println(err)
		return
	}
	resolver := uri.Resolver{Servers: []string{server.Addr()}}
	if _, _, err := resolver.Resolve(context.Background(), c); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Hosts, c.ReplicaSet, c.TLS)
	// Output: [a.example.test:27017 b.example.test:27017] rs0 true
}
