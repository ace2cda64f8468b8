package spectests

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// failPoint is failCommand, as far as the tests of connections set it.
type failPoint struct {
	ConfigureFailPoint string
	Mode               any // "alwaysOn" or {"times": n}
	Data               failPointData
}

type failPointData struct {
	FailCommands    []string
	CloseConnection bool
	BlockConnection bool
	BlockTimeMS     int
	ErrorCode       int32
	AppName         string
}

// fakeServer is a server that does not know more than handshakes and ping, and
// finds nothing.
type fakeServer struct {
	// mongos makes it part of a sharded cluster.
	mongos bool
	// mechanism is the saslSupportedMechs that it answers; none if empty.
	mechanism string
	failPoint failPoint

	mu         sync.Mutex
	failed     int
	handshakes []bson.Raw
}

// dial is a pool.Config.Dial.
func (s *fakeServer) dial(context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go s.serve(theirs)
	return ours, nil
}

// handshake is the last one that the server has seen.
func (s *fakeServer) handshake() bson.Raw {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.handshakes) == 0 {
		return nil
	}
	return s.handshakes[len(s.handshakes)-1]
}

func (s *fakeServer) serve(stream net.Conn) {
	defer stream.Close()
	for {
		header, message, err := wire.ReadMessage(stream, nil, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		m, err := wire.ParseMsg(message)
		if err != nil {
			return
		}
		reply, at := bson.BeginDocument(nil)
		if data, fails := s.fails(m.Body); fails {
			if data.BlockConnection {
				block(stream, time.Duration(data.BlockTimeMS)*time.Millisecond)
			}
			if data.CloseConnection {
				return
			}
			if data.ErrorCode != 0 {
				reply = bson.AppendInt32(reply, "ok", 0)
				reply = bson.AppendInt32(reply, "code", data.ErrorCode)
			}
		}
		reply = s.appendHello(reply, m.Body)
		reply = bson.AppendInt32(reply, "ok", 1)
		reply = bson.EndDocument(reply, at)
		if _, err := stream.Write(wire.AppendMsg(nil, 1, header.RequestID, 0, reply)); err != nil {
			return
		}
	}
}

// appendHello adds what the server says of itself, whatever it is asked.
func (s *fakeServer) appendHello(reply []byte, command bson.Raw) []byte {
	if !command.Lookup("client").IsZero() {
		s.mu.Lock()
		s.handshakes = append(s.handshakes, bson.Raw(slices.Clone(command)))
		s.mu.Unlock()
	}
	reply = bson.AppendBool(reply, "isWritablePrimary", true)
	reply = bson.AppendInt32(reply, "maxWireVersion", 21)
	if s.mongos {
		reply = bson.AppendString(reply, "msg", "isdbgrid")
	}
	reply, cursor := bson.BeginEmbedded(reply, "cursor")
	reply = bson.AppendInt64(reply, "id", 0)
	reply = bson.AppendString(reply, "ns", "test.test")
	reply, batch := bson.BeginArray(reply, "firstBatch")
	reply = bson.EndDocument(bson.EndDocument(reply, batch), cursor)
	if s.mechanism != "" {
		var at int
		reply, at = bson.BeginArray(reply, "saslSupportedMechs")
		reply = bson.AppendStringValue(bson.AppendIndexHeader(reply, bson.TypeString, 0), s.mechanism)
		reply = bson.EndDocument(reply, at)
	}
	return reply
}

// block waits for d, or until the client closes the stream, on which it sends
// nothing.
func block(stream net.Conn, d time.Duration) {
	stream.SetReadDeadline(time.Now().Add(d))
	stream.Read(make([]byte, 1))
	stream.SetReadDeadline(time.Time{})
}

// fails is what the fail point does to a command, if it applies.
func (s *fakeServer) fails(command bson.Raw) (data failPointData, applies bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data = s.failPoint.Data
	for name := range command.Keys() {
		if !slices.Contains(data.FailCommands, name) {
			return data, false
		}
		break
	}
	if app, _ := command.Lookup("client", "application", "name").Str(); data.AppName != app {
		return data, false
	}
	if mode, ok := s.failPoint.Mode.(map[string]any); ok && s.failed == int(mode["times"].(float64)) {
		return data, false
	}
	s.failed++
	return data, true
}

// set changes the fail point.
func (s *fakeServer) set(f failPoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failPoint = f
}
