// Package wire is the MongoDB wire protocol: message framing, OP_MSG with its
// two kinds of sections, the OP_QUERY and OP_REPLY pair that old handshakes
// use, and OP_COMPRESSED. The same functions serve the driver and the test
// deployment. Nothing here waits or decides; sockets come in as io.Reader.
//
// A message is a header of 16 bytes and a body. A command is the document of
// an OP_MSG's kind 0 section together with its document sequences (kind 1). A
// reply is the document that answers it, not yet decoded.
package wire
