package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/motor-go/motor/bson"
)

// doc is {name: 1}.
func doc(name string) bson.Raw {
	d, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendInt32(d, name, 1), at)
}

// unhex reads bytes written with spaces.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// withChecksum adds a checksum to a whole OP_MSG.
func withChecksum(message []byte) []byte {
	message = bytes.Clone(message)
	message[HeaderLen] |= byte(ChecksumPresent)
	binary.LittleEndian.PutUint32(message, uint32(len(message)+4))
	return binary.LittleEndian.AppendUint32(message, crc32.Checksum(message, crc32.MakeTable(crc32.Castagnoli)))
}

var insert = AppendMsg(nil, 7, 0, 0, doc("insert"), Sequence{"documents", append(doc("a"), doc("b")...)}, Sequence{"more", nil})

// One conversation, byte by byte: legacy hello in OP_QUERY and its OP_REPLY, an
// insert with a document sequence and its reply.
func TestConversation(t *testing.T) {
	for _, step := range []struct {
		name    string
		message []byte
		want    string
	}{
		{"query", AppendQuery(nil, 1, "admin", doc("isMaster")), `
			3a000000 01000000 00000000 d4070000
			04000000 61646d696e2e24636d6400 00000000 ffffffff
			13000000 1069734d617374657200 01000000 00`},
		{"reply", AppendReply(nil, 9, 1, doc("ok")), `
			31000000 09000000 01000000 01000000
			08000000 0000000000000000 00000000 01000000
			0d000000 106f6b00 01000000 00`},
		{"insert", AppendMsg(nil, 2, 0, MoreToCome|ExhaustAllowed, doc("insert"), Sequence{"documents", doc("a")}), `
			41000000 02000000 00000000 dd070000 02000100
			00 11000000 10696e7365727400 01000000 00
			01 1a000000 646f63756d656e747300 0c000000 106100 01000000 00`},
		{"response", AppendMsg(nil, 10, 2, 0, doc("ok")), `
			22000000 0a000000 02000000 dd070000 00000000
			00 0d000000 106f6b00 01000000 00`},
	} {
		if want := unhex(step.want); !bytes.Equal(step.message, want) {
			t.Errorf("%s\n%x\nwant\n%x", step.name, step.message, want)
		}
	}
}

func TestParseMsg(t *testing.T) {
	for name, message := range map[string][]byte{"plain": insert, "checksum": withChecksum(insert)} {
		m, err := ParseMsg(message)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(m.Body, doc("insert")) || len(m.Sequences) != 2 || m.Sequences[0].ID != "documents" || m.Sequences[1].ID != "more" {
			t.Errorf("%s: %+v", name, m)
		}
		if docs := m.Sequences[0].Documents(); len(docs) != 2 || !bytes.Equal(docs[1], doc("b")) {
			t.Errorf("%s: documents %v", name, docs)
		}
	}
	m, err := ParseMsg(AppendMsg(nil, 1, 0, MoreToCome|ExhaustAllowed|1<<20, doc("a")))
	if err != nil || m.Flags != MoreToCome|ExhaustAllowed|1<<20 {
		t.Errorf("flags %x, error %v", m.Flags, err)
	}
}

func TestParseQueryAndReply(t *testing.T) {
	q, err := ParseQuery(AppendQuery(nil, 1, "admin", doc("isMaster")))
	if err != nil || q.Flags != SecondaryOK || q.Collection != "admin.$cmd" || q.Return != -1 || !bytes.Equal(q.Body, doc("isMaster")) {
		t.Errorf("%+v, %v", q, err)
	}
	reply, err := ParseReply(AppendReply(nil, 1, 2, doc("ok")))
	if err != nil || !bytes.Equal(reply, doc("ok")) {
		t.Errorf("%v, %v", reply, err)
	}
}

// patch is message with bytes from hex at an offset, from the end if negative.
func patch(message []byte, at int, hex string) []byte {
	message = bytes.Clone(message)
	if at < 0 {
		at += len(message)
	}
	copy(message[at:], unhex(hex))
	return message
}

// resize is message with the length that it has.
func resize(message []byte) []byte {
	return EndMessage(bytes.Clone(message), 0)
}

func TestMalformed(t *testing.T) {
	parseMsg := func(b []byte) error { _, err := ParseMsg(b); return err }
	parseQuery := func(b []byte) error { _, err := ParseQuery(b); return err }
	parseReply := func(b []byte) error { _, err := ParseReply(b); return err }
	msg := AppendMsg(nil, 1, 0, 0, doc("ok"))
	sequence := AppendMsg(nil, 1, 0, 0, doc("ok"), Sequence{"s", doc("a")})
	query, reply := AppendQuery(nil, 1, "a", doc("ok")), AppendReply(nil, 1, 1, doc("ok"))
	for _, tt := range []struct {
		name    string
		parse   func([]byte) error
		message []byte
		want    string
	}{
		{"length too small", parseMsg, patch(msg, 0, "0f000000"), "the header alone is 16"},
		{"length negative", parseMsg, patch(msg, 0, "ffffffff"), "the header alone is 16"},
		{"HTTP", func(b []byte) error { _, err := ParseHeader(b, DefaultMaxMessageSize); return err }, []byte("HTTP/1.1 400 Bad Request\r\n"), "it begins with the text \"HTTP/1.1 400 Bad Request\": this seems to be no MongoDB server"},
		{"length too large", parseMsg, patch(msg, 0, "23000000"), "35 bytes long, and is 34"},
		{"other op code", parseMsg, query, "OP_QUERY instead of OP_MSG"},
		{"no op code", parseMsg, patch(msg, 12, "39050000"), "op code 1337 instead of OP_MSG"},
		{"no flags", parseMsg, resize(msg[:HeaderLen+3]), "OP_MSG of 19 bytes"},
		{"unknown required flag", parseMsg, patch(msg, 16, "0400"), "unknown required flag bits 0x4"},
		{"no body", parseMsg, resize(msg[:HeaderLen+4]), "no body section"},
		{"two bodies", parseMsg, resize(append(bytes.Clone(msg), append([]byte{0}, doc("b")...)...)), "two body sections"},
		{"unknown section", parseMsg, patch(msg, 20, "02"), "section of kind 2"},
		{"body too long", parseMsg, patch(msg, 21, "0e000000"), "14 bytes long, 13 are left"},
		{"body too short", parseMsg, patch(msg, 21, "09000000"), "does not end with NUL"},
		{"wrong checksum", parseMsg, patch(withChecksum(msg), -1, "00"), "checksum does not match"},
		{"no room for checksum", parseMsg, patch(resize(msg[:HeaderLen+4]), 16, "01"), "too short for its checksum"},
		{"sequence too short", parseMsg, resize(append(bytes.Clone(msg), 1, 4, 0, 0, 0)), "document sequence of 4 bytes"},
		{"sequence too long", parseMsg, patch(sequence, 35, "ff000000"), "255 bytes long, 18 are left"},
		{"sequence negative", parseMsg, patch(sequence, 35, "ffffffff"), "-1 bytes long"},
		{"sequence without name", parseMsg, resize(append(bytes.Clone(msg), 1, 5, 0, 0, 0, 'x')), "has no name"},
		{"sequence with half a document", parseMsg, patch(sequence, 41, "0d000000"), `sequence "s"`},
		{"query without name", parseQuery, patch(query, 20, "6161616161616161616161616161616161616161616161616161616161616161"), "no collection name"},
		{"query without document", parseQuery, resize(query[:HeaderLen+4+7+8]), "OP_QUERY"},
		{"reply with two", parseReply, patch(reply, 32, "02000000"), "2 documents instead of 1"},
		{"reply with none", parseReply, patch(reply, 32, "00000000"), "0 documents instead of 1"},
		{"reply with more", parseReply, resize(append(bytes.Clone(reply), 0)), "1 bytes behind"},
	} {
		err := tt.parse(tt.message)
		var malformed *Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A message that is cut off is an error, however it is read.
func TestTruncated(t *testing.T) {
	compressed, err := AppendCompressed(nil, insert, Zlib, 6)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		message []byte
		parse   func([]byte) error
	}{
		"OP_MSG":        {insert, func(b []byte) error { _, err := ParseMsg(b); return err }},
		"checksum":      {withChecksum(insert), func(b []byte) error { _, err := ParseMsg(b); return err }},
		"OP_QUERY":      {AppendQuery(nil, 1, "a", doc("b")), func(b []byte) error { _, err := ParseQuery(b); return err }},
		"OP_REPLY":      {AppendReply(nil, 1, 1, doc("b")), func(b []byte) error { _, err := ParseReply(b); return err }},
		"OP_COMPRESSED": {compressed, func(b []byte) error { _, err := Decompress(b, 1<<20); return err }},
	} {
		if err := tt.parse(tt.message); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range tt.message {
			if tt.parse(tt.message[:n]) == nil {
				t.Errorf("%s: %d of %d bytes are no error", name, n, len(tt.message))
			}
			_, _, one := ReadMessage(bytes.NewReader(tt.message[:n]), nil, 1<<20)
			_, _, two := (&Reader{R: bytes.NewReader(tt.message[:n]), Limit: 1 << 20}).Next(nil)
			for _, err := range []error{one, two} {
				want := io.ErrUnexpectedEOF
				if n == 0 {
					want = io.EOF
				}
				if !errors.Is(err, want) {
					t.Errorf("%s: reading %d of %d bytes: %v", name, n, len(tt.message), err)
				}
			}
		}
		// Too short for what the parts say, though the header fits.
		for n := HeaderLen; n < len(tt.message); n++ {
			tt.parse(resize(tt.message[:n]))
		}
	}
}

// hiccup times out before every byte.
type hiccup struct {
	r    io.Reader
	next bool
}

func (h *hiccup) Read(b []byte) (int, error) {
	if h.next = !h.next; h.next {
		return 0, os.ErrDeadlineExceeded
	}
	return h.r.Read(b[:1])
}

func TestReaderGoesOnAfterTimeouts(t *testing.T) {
	stream := append(bytes.Clone(insert), AppendReply(nil, 3, 4, doc("ok"))...)
	r := Reader{R: &hiccup{r: bytes.NewReader(stream)}, Limit: 1 << 20}
	var got []byte
	for timeouts := 0; len(got) < len(stream); {
		h, message, err := r.Next(nil)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if timeouts++; timeouts > len(stream) {
				t.Fatal("no progress")
			}
		case err != nil:
			t.Fatal(err)
		case int(h.Length) != len(message):
			t.Fatalf("%d bytes of %d", len(message), h.Length)
		default:
			got = append(got, message...)
		}
	}
	if !bytes.Equal(got, stream) {
		t.Errorf("read %x, want %x", got, stream)
	}
}

func TestReaderGivesOutItsMemory(t *testing.T) {
	stream := append(bytes.Clone(insert), insert...)
	r := Reader{R: bytes.NewReader(stream), Limit: 1 << 20}
	_, one, _ := r.Next(nil)
	_, two, err := r.Next(nil)
	if err != nil {
		t.Fatal(err)
	}
	clear(two)
	if !bytes.Equal(one, insert) {
		t.Error("two messages share memory")
	}
}

func TestReaderReusesMemory(t *testing.T) {
	large := AppendMsg(nil, 1, 0, 0, doc(strings.Repeat("x", 3*readChunk)))
	stream := slices.Concat(insert, large, insert, large)
	r := Reader{R: bytes.NewReader(stream), Limit: 1 << 24}
	var memory Memory
	var got []byte
	var places []*byte
	for range 4 {
		_, message, err := r.Next(&memory)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, message...)
		places = append(places, &message[0])
	}
	if !bytes.Equal(got, stream) {
		t.Error("the messages are not what was sent")
	}
	if places[1] != places[2] || places[2] != places[3] {
		t.Error("there was room for the message, and it is elsewhere")
	}
}

// A message of which a part has come when time runs out is read by the next
// call, while its memory may be used for others.
func TestReaderKeepsThePartOfAMessage(t *testing.T) {
	r := Reader{R: &hiccup{r: bytes.NewReader(insert)}, Limit: 1 << 20}
	memory := Memory{buf: make([]byte, 0, 1<<10)}
	for len(r.message) < 20 {
		if _, _, err := r.Next(&memory); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	clear(memory.buf[:cap(memory.buf)])
	for {
		_, message, err := r.Next(nil)
		if err == nil {
			if !bytes.Equal(message, insert) {
				t.Errorf("%x", message)
			}
			return
		}
	}
}

func TestEndMsg(t *testing.T) {
	docs := slices.Concat(doc("a"), doc("b"))
	sequence := Sequence{ID: "documents", Docs: docs}
	whole := AppendMsg(nil, 1, 0, 0, doc("insert"), sequence)
	for most, copied := range map[int]bool{len(docs): true, len(docs) - 1: false} {
		dst, at := BeginMsg(nil, 1, 0, 0)
		message, behind := EndMsg(append(dst, doc("insert")...), at, sequence, most)
		if copied != (behind == nil) {
			t.Errorf("most is %d: %d bytes are behind", most, len(behind))
		}
		if got := slices.Concat(message, behind); !bytes.Equal(got, whole) {
			t.Errorf("most is %d: %x, want %x", most, got, whole)
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	// The runtime allocates now and then, too: the least of several counts.
	least := uint64(math.MaxUint64)
	for range 4 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// Who announces much gets memory when much has come.
func TestAnnouncedLength(t *testing.T) {
	announced := patch(insert, 0, "0000d002") // 45 MiB
	for name, read := range map[string]func(io.Reader) error{
		"ReadMessage": func(r io.Reader) error { _, _, err := ReadMessage(r, nil, DefaultMaxMessageSize); return err },
		"Reader": func(r io.Reader) error {
			_, _, err := (&Reader{R: r, Limit: DefaultMaxMessageSize}).Next(nil)
			return err
		},
	} {
		if n := allocated(func() {
			if err := read(bytes.NewReader(announced)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", name, err)
			}
		}); n > 2<<20 {
			t.Errorf("%s: %d bytes were allocated for a message of %d", name, n, len(insert))
		}
		if err := read(bytes.NewReader(patch(insert, 0, "00000003"))); err == nil || !strings.Contains(err.Error(), "the limit is 48000000") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadMessageReusesItsBuffer(t *testing.T) {
	buf := make([]byte, 0, 4096)
	r := bytes.NewReader(nil)
	if n := testing.AllocsPerRun(100, func() {
		r.Reset(insert)
		var err error
		if _, buf, err = ReadMessage(r, buf, 1<<20); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReaderAllocatesTheMessageOnly(t *testing.T) {
	source := bytes.NewReader(nil)
	r := Reader{R: source, Limit: 1 << 20}
	if n := testing.AllocsPerRun(100, func() {
		source.Reset(insert)
		if _, _, err := r.Next(nil); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzReadMessage reads any bytes in two ways, in pieces of any size.
func FuzzReadMessage(f *testing.F) {
	f.Add(insert, byte(3))
	f.Add(append(bytes.Clone(insert), AppendReply(nil, 1, 2, doc("ok"))...), byte(0))
	f.Add(patch(insert, 0, "0000d002"), byte(200))
	f.Fuzz(func(t *testing.T, stream []byte, piece byte) {
		const limit = 3 << 20
		slow := io.Reader(bytes.NewReader(stream))
		if piece == 0 {
			slow = iotest.OneByteReader(slow)
		}
		fast := Reader{R: &pieces{bytes.NewReader(stream), int(piece) + 1}, Limit: limit}
		var buf []byte
		for {
			h1, m1, err1 := fast.Next(nil)
			h2, m2, err2 := ReadMessage(slow, buf, limit)
			if (err1 == nil) != (err2 == nil) || err1 == nil && (h1 != h2 || !bytes.Equal(m1, m2)) {
				t.Fatalf("%v %x %v\n%v %x %v", h1, m1, err1, h2, m2, err2)
			}
			if err1 != nil {
				return
			}
			buf = m2
		}
	})
}

// pieces reads at most n bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

// FuzzParseMsg parses any bytes; what is accepted means what it says when it is
// put together again.
func FuzzParseMsg(f *testing.F) {
	f.Add(insert)
	f.Add(withChecksum(insert))
	f.Add(AppendMsg(nil, 1, 2, MoreToCome, doc("ok")))
	f.Add(AppendQuery(nil, 1, "admin", doc("isMaster")))
	f.Add(AppendReply(nil, 1, 1, doc("ok")))
	f.Fuzz(func(t *testing.T, message []byte) {
		ParseQuery(message)
		if reply, err := ParseReply(message); err == nil {
			if again, err := ParseReply(AppendReply(nil, 1, 1, reply)); err != nil || !bytes.Equal(again, reply) {
				t.Fatalf("%x, %v", again, err)
			}
		}
		m, err := ParseMsg(message)
		if err != nil {
			return
		}
		total := 0
		for _, s := range m.Sequences {
			docs := s.Documents()
			for _, d := range docs {
				total += len(d)
			}
			if !bytes.Equal(bytes.Join(asBytes(docs), nil), s.Docs) {
				t.Fatal("the documents are not the section")
			}
		}
		if total+len(m.Body) > len(message) {
			t.Fatal("more came out than went in")
		}
		again, err := ParseMsg(AppendMsg(nil, 1, 2, m.Flags&^ChecksumPresent, m.Body, m.Sequences...))
		if err != nil || !bytes.Equal(again.Body, m.Body) || len(again.Sequences) != len(m.Sequences) {
			t.Fatalf("%+v\nput together again is\n%+v, %v", m, again, err)
		}
	})
}

func asBytes(docs []bson.Raw) [][]byte {
	all := make([][]byte, len(docs))
	for i, d := range docs {
		all[i] = d
	}
	return all
}

func TestReplyError(t *testing.T) {
	for _, tt := range []struct {
		reply func(dst []byte) []byte
		want  string
		label bool
	}{
		{func(d []byte) []byte { return bson.AppendInt32(d, "ok", 1) }, "", false},
		{func(d []byte) []byte { return bson.AppendBool(d, "ok", true) }, "", false},
		{func(d []byte) []byte { return bson.AppendDouble(d, "ok", 0) }, "error 0: the server said that the command failed, and no more", false},
		{func(d []byte) []byte { return d }, "error 0: the server said that the command failed, and no more", false},
		{func(d []byte) []byte {
			d = bson.AppendInt32(d, "ok", 0)
			d = bson.AppendInt64(d, "code", 91)
			d = bson.AppendString(d, "codeName", "ShutdownInProgress")
			d = bson.AppendString(d, "errmsg", "going down")
			d, at := bson.BeginArray(d, "errorLabels")
			d = bson.AppendStringValue(bson.AppendIndexHeader(d, bson.TypeString, 0), "RetryableWriteError")
			return bson.EndDocument(d, at)
		}, "ShutdownInProgress (91): going down", true},
	} {
		reply, at := bson.BeginDocument(nil)
		reply = bson.EndDocument(tt.reply(reply), at)
		err := ReplyError(reply)
		if err == nil {
			if tt.want != "" {
				t.Errorf("no error, want %q", tt.want)
			}
			continue
		}
		if err.Error() != tt.want || err.HasLabel("RetryableWriteError") != tt.label {
			t.Errorf("error %q, labels %q; want %q", err, err.Labels, tt.want)
		}
		if err.Server = "a:1"; err.Error() != "a:1: "+tt.want {
			t.Errorf("error %q", err)
		}
		if err.Command = "find"; err.Error() != "find on a:1: "+tt.want {
			t.Errorf("error %q", err)
		}
		if err.Namespace = "db.c"; err.Error() != "find db.c on a:1: "+tt.want {
			t.Errorf("error %q", err)
		}
	}
}
