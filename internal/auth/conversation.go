package auth

import (
	"context"
	"errors"
)

// Conversation is one run of a mechanism, seen from the client. It has no
// state outside itself and performs no I/O.
type Conversation interface {
	// Start is the payload of saslStart.
	Start() []byte
	// Step takes the payload of the server's next reply and gives the payload
	// of the next saslContinue. done reports that the client is satisfied: the
	// server may end the conversation with this reply, and not earlier.
	Step(challenge []byte) (response []byte, done bool, err error)
}

// Request is one command of a conversation. Without a Mechanism it is a
// saslContinue; otherwise it is a saslStart, with the option skipEmptyExchange
// for the SCRAM mechanisms. For MONGODB-X509 it is an authenticate command
// instead, and Payload is the user name, to be left out if empty.
type Request struct {
	Mechanism string
	// Source is the database to send the command to.
	Source string
	// ConversationID is what the server's first reply contained.
	ConversationID int32
	Payload        []byte
}

// Reply is what the server answered to a Request. The one reply to an
// authenticate command is {Done: true}.
type Reply struct {
	ConversationID int32
	Payload        []byte
	Done           bool
}

// Send carries one request to the server over the connection that is being
// authenticated. It returns a *Refused for the answer ok: 0, and any other
// error if the connection is broken.
type Send func(context.Context, Request) (Reply, error)

// errLeftEarly guards against a server that ends a conversation before it has
// proved what the mechanism asks of it.
var errLeftEarly = errors.New("the server ended the conversation before it was complete")

// converse runs c, whose first reply is there, to its end.
func converse(ctx context.Context, c Conversation, source string, reply Reply, send Send) error {
	for satisfied := false; ; {
		response, done, err := c.Step(reply.Payload)
		switch {
		case err != nil:
			return err
		case reply.Done && done:
			return nil
		case reply.Done:
			return errLeftEarly
		case satisfied:
			// Servers that do not know skipEmptyExchange, and those before
			// 4.4, take one empty exchange to say done; more is no protocol.
			return errors.New("the server does not end the conversation, although it is complete")
		}
		satisfied = done && len(response) == 0
		id := reply.ConversationID
		reply, err = send(ctx, Request{Source: source, ConversationID: id, Payload: response})
		if err != nil {
			return err
		}
		reply.ConversationID = id
	}
}
