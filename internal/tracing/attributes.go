package tracing

import (
	"log/slog"
	"net"
	"strconv"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

var system = slog.String("db.system.name", "mongodb")

// operationSpan is the name and the attributes of an operation's span.
func operationSpan(e *event.OperationStarted) (name string, attributes []slog.Attr) {
	if e.DatabaseName == "" {
		return e.Name, []slog.Attr{system}
	}
	name = summary(e.Name, e.DatabaseName, e.CollectionName)
	attributes = append(namespace(e.DatabaseName, e.CollectionName),
		slog.String("db.operation.name", e.Name), slog.String("db.operation.summary", name))
	return name, attributes
}

// summary is what is done to which collection or database.
func summary(name, db, collection string) string {
	if collection == "" {
		return name + " " + db
	}
	return name + " " + db + "." + collection
}

func namespace(db, collection string) []slog.Attr {
	list := []slog.Attr{system, slog.String("db.namespace", db)}
	if collection != "" {
		list = append(list, slog.String("db.collection.name", collection))
	}
	return list
}

// commandSpan is the attributes of a command's span that are known when it is
// sent.
func commandSpan(e *event.CommandStarted, command bson.Raw, textLength int) []slog.Attr {
	var collection string
	if e.DatabaseName != "admin" {
		collection = event.CollectionName(command)
	}
	list := append(namespace(e.DatabaseName, collection),
		slog.String("db.command.name", e.CommandName),
		slog.String("db.query.summary", summary(e.CommandName, e.DatabaseName, collection)),
		slog.Int64("db.mongodb.driver_connection_id", e.DriverConnectionID))
	list = append(list, server(e.Address)...)
	if e.ServerConnectionID != 0 {
		list = append(list, slog.Int64("db.mongodb.server_connection_id", e.ServerConnectionID))
	}
	if textLength > 0 {
		list = append(list, slog.String("db.query.text", event.Truncate(text(command).String(), textLength)))
	}
	return append(list, session(command)...)
}

// server is where a command goes: a host with a port, or the path of a socket.
func server(address string) []slog.Attr {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return []slog.Attr{slog.String("network.transport", "unix"), slog.String("server.address", address)}
	}
	n, _ := strconv.ParseInt(port, 10, 64)
	return []slog.Attr{slog.String("network.transport", "tcp"), slog.String("server.address", host), slog.Int64("server.port", n)}
}

// session is what a command says about its session and its cursor.
func session(command bson.Raw) (list []slog.Attr) {
	if b, ok := command.Lookup("lsid", "id").Binary(); ok {
		if id, err := b.UUID(); err == nil {
			list = append(list, slog.String("db.mongodb.lsid", id.String()))
		}
	}
	if n, ok := command.Lookup("txnNumber").AsInt64(); ok {
		list = append(list, slog.Int64("db.mongodb.txn_number", n))
	}
	if n, ok := command.Lookup("getMore").AsInt64(); ok {
		list = append(list, slog.Int64("db.mongodb.cursor_id", n))
	}
	return list
}

// text is a command without what the driver adds to it.
func text(command bson.Raw) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	for key, v := range command.All() {
		switch key {
		case "lsid", "$db", "$clusterTime", "signature":
		default:
			doc = bson.AppendValue(doc, key, v)
		}
	}
	return bson.EndDocument(doc, at)
}
