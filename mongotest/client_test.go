package mongotest_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// client is one connection that speaks the wire protocol and knows no more.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, address string) *client {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return newClient(c)
}

func newClient(c net.Conn) *client { return &client{c, bufio.NewReader(c)} }

// maxWait is how long a reply may take.
const maxWait = 10 * time.Second

// send sends a command.
func (c *client) send(flags wire.Flags, command bson.Raw, seqs ...wire.Sequence) error {
	_, err := c.Write(wire.AppendMsg(nil, wire.NextRequestID(), 0, flags, command, seqs...))
	return err
}

// receive reads a reply and its flags.
func (c *client) receive() (bson.Raw, wire.Flags, error) {
	c.SetReadDeadline(time.Now().Add(maxWait))
	h, message, err := wire.ReadMessage(c.in, nil, wire.DefaultMaxMessageSize)
	if err != nil {
		return nil, 0, err
	}
	if h.OpCode == wire.OpReply {
		doc, err := wire.ParseReply(message)
		return doc, 0, err
	}
	m, err := wire.ParseMsg(message)
	return m.Body, m.Flags, err
}

// run sends a command, in Extended JSON, to a database and gives the reply.
func (c *client) run(t testing.TB, db, command string) bson.Raw {
	t.Helper()
	if err := c.send(0, withDB(parse(t, command), db)); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	reply, _, err := c.receive()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return reply
}

// ok is run for a command that must not fail.
func (c *client) ok(t testing.TB, db, command string) bson.Raw {
	t.Helper()
	reply := c.run(t, db, command)
	if !reply.Lookup("ok").Truthy() {
		t.Fatalf("%s: %s", command, show(reply))
	}
	return reply
}

// fails is run for a command that must fail with the code.
func (c *client) fails(t testing.TB, db, command string, code int64) bson.Raw {
	t.Helper()
	reply := c.run(t, db, command)
	if got, _ := reply.Lookup("code").AsInt64(); got != code {
		t.Fatalf("%s: want code %d, got %s", command, code, show(reply))
	}
	return reply
}

// want compares a part of a reply with what is expected, in Extended JSON.
func want(t testing.TB, reply bson.Raw, path []string, expected string) {
	t.Helper()
	got := show(wrap(reply.Lookup(path...)))
	if wanted := show(parse(t, `{"v": `+expected+`}`)); got != wanted {
		t.Errorf("%v: want %s, got %s, in %s", path, wanted, got, show(reply))
	}
}

func wrap(v bson.RawValue) bson.Raw {
	b, at := bson.BeginDocument(nil)
	if !v.IsZero() {
		b = bson.AppendValue(b, "v", v)
	}
	return bson.EndDocument(b, at)
}

func parse(t testing.TB, text string) bson.Raw {
	t.Helper()
	d, err := bson.ParseExtJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func show(d bson.Raw) string {
	text, err := bson.AppendExtJSON(nil, d, bson.Canonical)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// withDB adds $db to a command.
func withDB(command bson.Raw, db string) bson.Raw {
	b, at := bson.BeginDocument(nil)
	b = append(b, command[4:len(command)-1]...)
	return bson.EndDocument(bson.AppendString(b, "$db", db), at)
}

// hungUp reports whether an error is that of a connection that the server ended.
func hungUp(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && !op.Timeout()
}
