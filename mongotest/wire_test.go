package mongotest_test

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/wire"
)

// TestMalformedMessagesEndTheConnection sends what is no message. The server
// hangs up, and serves others on.
func TestMalformedMessagesEndTheConnection(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{})
	ping := wire.AppendMsg(nil, 1, 0, 0, withDB(parse(t, `{"ping": 1}`), "admin"))
	with := func(at int, value uint32) []byte {
		b := append([]byte(nil), ping...)
		binary.LittleEndian.PutUint32(b[at:], value)
		return b
	}
	for name, message := range map[string][]byte{
		"a length below that of a header": with(0, 15),
		"a length above the limit":        with(0, 48_000_001),
		"a negative length":               with(0, 1<<31),
		"an op code of old":               with(12, 2002),
		"an unknown required flag":        with(16, 1<<5),
		"a document longer than it is":    with(21, 1000),
		"a compressor that lies":          {26, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 220, 7, 0, 0, 221, 7, 0, 0, 255, 255, 255, 127, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, s.Address())
			if _, err := c.Write(message); err != nil {
				t.Fatal(err)
			}
			if reply, _, err := c.receive(); !hungUp(err) {
				t.Errorf("got %s and error %v instead of the end of the connection", show(reply), err)
			}
		})
	}
	dial(t, s.Address()).ok(t, "admin", `{"ping": 1}`)
}

func TestCompressionIsNegotiated(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{Compressors: []string{"zlib", "snappy"}})
	for _, name := range []string{"zlib", "snappy"} {
		c := dial(t, s.Address())
		hello := c.ok(t, "admin", `{"hello": 1, "compression": ["zstd", "`+name+`"]}`)
		want(t, hello, []string{"compression"}, `["`+name+`"]`)
		compressor, _ := wire.ParseCompressor(name)
		ping := wire.AppendMsg(nil, 7, 0, 0, withDB(parse(t, `{"ping": 1}`), "admin"))
		compressed, err := wire.AppendCompressed(nil, ping, compressor, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(compressed); err != nil {
			t.Fatal(err)
		}
		h, message, err := wire.ReadMessage(c.in, nil, 1<<20)
		if err != nil || h.OpCode != wire.OpCompressed || h.ResponseTo != 7 {
			t.Fatalf("header %v, error %v", h, err)
		}
		if message, err = wire.Decompress(message, 1<<20); err != nil {
			t.Fatal(err)
		}
		m, err := wire.ParseMsg(message)
		if err != nil {
			t.Fatal(err)
		}
		want(t, m.Body, []string{"ok"}, `1.0`)
	}
}

func TestChecksumsAreVerified(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{})
	message := wire.AppendMsg(nil, 1, 0, wire.ChecksumPresent, withDB(parse(t, `{"ping": 1}`), "admin"))
	binary.LittleEndian.PutUint32(message, uint32(len(message)+4))
	sum := crc32.Checksum(message, crc32.MakeTable(crc32.Castagnoli))
	good := dial(t, s.Address())
	if _, err := good.Write(binary.LittleEndian.AppendUint32(message, sum)); err != nil {
		t.Fatal(err)
	}
	reply, _, err := good.receive()
	if err != nil {
		t.Fatal(err)
	}
	want(t, reply, []string{"ok"}, `1.0`)
	bad := dial(t, s.Address())
	if _, err := bad.Write(binary.LittleEndian.AppendUint32(message, sum+1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := bad.receive(); !hungUp(err) {
		t.Errorf("error %v instead of the end of the connection", err)
	}
}

// TestDeepDocumentsAreRefused nests documents as deep as no server stores them.
func TestDeepDocumentsAreRefused(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{})
	c := dial(t, s.Address())
	deep := strings.Repeat(`{"a": `, 150) + "1" + strings.Repeat("}", 150)
	c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1, "d": `+deep+`}]}`)
	nested := parse(t, `{}`)
	for range 900 {
		b, at := bson.BeginDocument(nil)
		nested = bson.EndDocument(bson.AppendDocument(b, "a", nested), at)
	}
	b, at := bson.BeginDocument(nil)
	b = bson.AppendString(b, "insert", "c")
	b, list := bson.BeginArray(b, "documents")
	b = append(bson.AppendIndexHeader(b, bson.TypeEmbeddedDocument, 0), nested...)
	b = bson.EndDocument(bson.EndDocument(b, list), at)
	if err := c.send(0, withDB(b, "test")); err != nil {
		t.Fatal(err)
	}
	reply, _, err := c.receive()
	if err != nil {
		t.Fatal(err)
	}
	if reply.Lookup("ok").Truthy() && reply.Lookup("writeErrors").IsZero() {
		t.Error("a document 900 levels deep was stored")
	}
	c.ok(t, "admin", `{"ping": 1}`)
}

func TestOptionsAreChecked(t *testing.T) {
	for text, o := range map[string]mongotest.Options{
		"Options.Version":     {Version: "3.4"},
		"major.minor":         {Version: "new"},
		"Options.Nodes":       {Nodes: 51},
		"belong together":     {Username: "root"},
		"Options.Compressors": {Compressors: []string{"lzma"}},
		"Options.Address":     {Address: "nowhere"},
	} {
		rs, err := mongotest.StartReplicaSet(o)
		if err == nil {
			rs.Close()
		}
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: want an error about %s, got %v", o, text, err)
		}
	}
}
