package topology

import (
	"context"
	"net"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// connect makes a connection for hello alone. duration is that of the
// handshake or, if there was none, that of dialling.
func connect(ctx context.Context, config pool.Config) (conn *pool.Conn, duration time.Duration, err error) {
	start := time.Now()
	dial := config.Dial
	config.Dial = func(ctx context.Context) (net.Conn, error) {
		stream, err := dial(ctx)
		if err == nil {
			start = time.Now()
		}
		return stream, err
	}
	conn, err = pool.Connect(ctx, config)
	return conn, time.Since(start), err
}

// helloRequest is the command that asks for the server's state.
func helloRequest(conn *pool.Conn, config *pool.Config) pool.Request {
	dst, message, doc := beginHello(conn, config, 0)
	return pool.Request{Message: wire.EndMessage(bson.EndDocument(dst, doc), message)}
}

// awaitRequest is the command that asks for a reply each time that the state is
// another than known, and at the latest after a while.
func awaitRequest(conn *pool.Conn, config *pool.Config, known description.TopologyVersion, atMost time.Duration) pool.Request {
	dst, message, doc := beginHello(conn, config, wire.ExhaustAllowed)
	dst, version := bson.BeginEmbedded(dst, "topologyVersion")
	dst = bson.AppendObjectID(dst, "processId", known.ProcessID)
	dst = bson.AppendInt64(dst, "counter", known.Counter)
	dst = bson.EndDocument(dst, version)
	dst = bson.AppendInt64(dst, "maxAwaitTimeMS", atMost.Milliseconds())
	return pool.Request{Message: wire.EndMessage(bson.EndDocument(dst, doc), message)}
}

// beginHello begins hello, or legacy hello for servers that may not know it.
func beginHello(conn *pool.Conn, config *pool.Config, flags wire.Flags) (dst []byte, message, doc int) {
	api := config.Handshake.ServerAPI
	name := "isMaster"
	if api != nil || conn.Description.HelloOK {
		name = "hello"
	}
	dst, message = wire.BeginMsg(conn.Buffer(), wire.NextRequestID(), 0, flags)
	dst, doc = bson.BeginDocument(dst)
	dst = bson.AppendInt32(dst, name, 1)
	dst = bson.AppendBool(dst, "helloOk", true)
	dst = bson.AppendString(dst, "$db", "admin")
	return api.Append(dst), message, doc
}
