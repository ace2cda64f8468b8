package pool

import (
	"bytes"
	"strings"
	"sync"

	"github.com/motor-go/motor/wire"
)

// largeBuffer is the capacity above which a write buffer is not kept by a
// connection that may not need it again.
const largeBuffer = 256 << 10

// largeBuffers are shared by all connections. The garbage collector frees those
// that stay unused for a while.
var largeBuffers sync.Pool

// keep keeps the memory of a message for the next one.
func (c *Conn) keep(message []byte) {
	c.large = len(message) > largeBuffer/2
	c.out = message
}

// release gives up what a connection does not need while it is available.
func (c *Conn) release() {
	c.use.Store(uint32(UseOperation))
	if cap(c.out) > largeBuffer {
		b := c.out[:0]
		largeBuffers.Put(&b)
		c.out = nil
	}
	if cap(c.compressed) > largeBuffer {
		c.compressed = nil
	}
}

// compress puts a compressed message into r, if that was negotiated.
func (c *Conn) compress(r *Request) error {
	if c.Compressor == wire.NoCompression || !compressible(r.Message) {
		return nil
	}
	c.keep(append(r.Message, r.Documents...))
	var err error
	c.compressed, err = wire.AppendCompressed(c.compressed[:0], c.out, c.Compressor, c.config.Handshake.ZlibLevel)
	r.Message, r.Documents = c.compressed, nil
	return err
}

// The commands that must not be compressed, in lower case.
var incompressible = [...]string{
	"hello", "ismaster", "saslstart", "saslcontinue", "getnonce", "authenticate", "createuser",
	"updateuser", "copydbsaslstart", "copydbgetnonce", "copydb",
}

// compressible reports whether message, an OP_MSG that begins with its body,
// may be compressed.
func compressible(message []byte) bool {
	const command = wire.HeaderLen + 4 + 1 + 4 + 1 // flags, kind, length, type
	if len(message) < command {
		return false
	}
	name, _, _ := bytes.Cut(message[command:], []byte{0})
	for _, forbidden := range incompressible {
		if len(name) == len(forbidden) && strings.EqualFold(string(name), forbidden) {
			return false
		}
	}
	return true
}
