package pool

import (
	"testing"

	"github.com/motor-go/motor/bson"
)

func TestRoundTrip(t *testing.T) {
	s := &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
		if commandName(command) == "ping" {
			return okReply(bson.AppendString(nil, "pong", "yes"))
		}
		return nil
	}}
	p := newPool(t, s, Config{})
	for range 3 {
		c, err := p.CheckOut(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		reply, err := c.RoundTrip(t.Context(), ping(c))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := reply.Lookup("pong").Str(); got != "yes" {
			t.Errorf("reply is %v", reply)
		}
		p.CheckIn(c)
	}
	if n := s.dials.Load(); n != 1 {
		t.Errorf("%d connections for 3 operations one after the other", n)
	}
}
