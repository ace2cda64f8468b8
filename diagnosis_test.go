package motor_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/mongotest"
)

// greeter is the address of a server that says something to whoever connects
// and then listens.
func greeter(t *testing.T, greeting string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Write([]byte(greeting))
				bufio.NewReader(conn).ReadByte()
			}()
		}
	}()
	return l.Addr().String()
}

// An address that is no server's, or TLS on one side alone, is said in words.
func TestWrongServersAreNamed(t *testing.T) {
	ca := newAuthority(t)
	secure := mongotest.NewStandalone(t, mongotest.Options{TLS: ca.server("127.0.0.1")})
	for name, tt := range map[string]struct{ addr, options, want string }{
		"HTTP":    {greeter(t, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), "", `begins with the text "HTTP/1.1 400 Bad`},
		"SSH":     {greeter(t, "SSH-2.0-OpenSSH_9.6\r\n"), "", `this seems to be no MongoDB server`},
		"hang up": {greeter(t, ""), "", "does the server want TLS? The client does not use it"},
		"TLS":     {secure.Address(), "", "does the server want TLS? The client does not use it"},
		"a TLS client, and a server that hangs up": {greeter(t, ""), "&tls=true", "the server hung up: does it speak TLS at this port?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connectTo(t, "mongodb://"+tt.addr+"/?serverSelectionTimeoutMS=800"+tt.options)
			if err := client.Ping(bounded(t), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// An error says which limit ended a wait.
func TestErrorsNameTheLimit(t *testing.T) {
	nobody := "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS="
	err := connectTo(t, nobody+"50").Ping(bounded(t), nil)
	if want := "serverSelectionTimeoutMS of 50ms is over"; !errors.Is(err, motor.ErrTimeout) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = connectTo(t, nobody+"60000").Ping(ctx, nil)
	if want := "the context of the operation ended: context deadline exceeded"; !errors.Is(err, motor.ErrTimeout) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}

	client := connectTo(t, withOptions(mongotest.New(t, mongotest.Options{Nodes: 1}).URI(), "maxPoolSize=1", "waitQueueTimeoutMS=200"))
	if err := failPoint(client, times(1), d("failCommands", []string{"find"}, "blockConnection", true, "blockTimeMS", 2000)); err != nil {
		t.Fatal(err)
	}
	go client.Database(scratch).Collection("c").FindOne(t.Context(), nil)
	await(t, "the connection to be in use", func() bool { return client.Stats()[0].Pool.InUse == 1 })
	err = client.Ping(bounded(t), nil)
	if want := "waitQueueTimeoutMS of 200ms is over"; !errors.Is(err, motor.ErrTimeout) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, stop)
	err = client.Ping(ctx, nil)
	if want := "context canceled; maxPoolSize: 1"; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}
