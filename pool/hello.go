package pool

import (
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/wire"
)

// backpressureVersion is the version of the client backpressure specification
// that handshakes declare.
const backpressureVersion = "2"

// appendHello adds the elements of the first command of a connection. It is
// hello where servers are sure to know it, else legacy hello, which asks for
// helloOk. login is nil if the connection will not be authenticated.
func (h *Handshake) appendHello(dst []byte, login *auth.Login) []byte {
	if h.ServerAPI != nil || h.LoadBalanced {
		dst = bson.AppendInt32(dst, "hello", 1)
	} else {
		dst = bson.AppendInt32(dst, "isMaster", 1)
	}
	dst = bson.AppendBool(dst, "helloOk", true)
	dst = bson.AppendString(dst, "backpressure", backpressureVersion)
	metadata := h.Metadata
	if metadata == nil {
		metadata = defaultMetadata()
	}
	dst = bson.AppendDocument(dst, "client", metadata.document(h.AppName))
	dst, at := bson.BeginArray(dst, "compression")
	for i, c := range h.Compressors {
		dst = bson.AppendStringValue(bson.AppendIndexHeader(dst, bson.TypeString, i), c.String())
	}
	dst = bson.EndDocument(dst, at)
	if h.LoadBalanced {
		dst = bson.AppendBool(dst, "loadBalanced", true)
	}
	if login == nil {
		return dst
	}
	if user := login.NegotiatedUser(); user != "" {
		dst = bson.AppendString(dst, "saslSupportedMechs", user)
	}
	if r := login.Speculate(); r != nil {
		dst, at = bson.BeginEmbedded(dst, "speculativeAuthenticate")
		dst = appendAuthRequest(dst, *r)
		dst = bson.AppendString(dst, "db", r.Source)
		dst = bson.EndDocument(dst, at)
	}
	return dst
}

// negotiate is the first of the client's compressors that the server has.
func (h *Handshake) negotiate(server []string) wire.Compressor {
	for _, c := range h.Compressors {
		if slices.Contains(server, c.String()) {
			return c
		}
	}
	return wire.NoCompression
}

// Append adds the fields that every command carries; none if a is nil.
func (a *ServerAPI) Append(dst []byte) []byte {
	if a == nil {
		return dst
	}
	dst = bson.AppendString(dst, "apiVersion", a.Version)
	if a.Strict != nil {
		dst = bson.AppendBool(dst, "apiStrict", *a.Strict)
	}
	if a.DeprecationErrors != nil {
		dst = bson.AppendBool(dst, "apiDeprecationErrors", *a.DeprecationErrors)
	}
	return dst
}

// appendAuthRequest adds the elements of the command that carries r.
func appendAuthRequest(dst []byte, r auth.Request) []byte {
	switch r.Mechanism {
	case "":
		dst = bson.AppendInt32(dst, "saslContinue", 1)
		dst = bson.AppendInt32(dst, "conversationId", r.ConversationID)
	case auth.X509:
		dst = bson.AppendInt32(dst, "authenticate", 1)
		dst = bson.AppendString(dst, "mechanism", r.Mechanism)
		if len(r.Payload) > 0 {
			dst = bson.AppendString(dst, "user", string(r.Payload))
		}
		return dst
	default:
		dst = bson.AppendInt32(dst, "saslStart", 1)
		dst = bson.AppendString(dst, "mechanism", r.Mechanism)
	}
	dst = bson.AppendBinary(dst, "payload", bson.Binary{Data: r.Payload})
	if r.Mechanism == auth.SCRAMSHA1 || r.Mechanism == auth.SCRAMSHA256 {
		var at int
		dst, at = bson.BeginEmbedded(dst, "options")
		dst = bson.AppendBool(dst, "skipEmptyExchange", true)
		dst = bson.EndDocument(dst, at)
	}
	return dst
}

// parseAuthReply reads the reply to a command of appendAuthRequest.
func parseAuthReply(x509 bool, doc bson.Raw) auth.Reply {
	if x509 {
		return auth.Reply{Done: true}
	}
	id, _ := doc.Lookup("conversationId").AsInt64()
	payload, _ := doc.Lookup("payload").Binary()
	done, _ := doc.Lookup("done").Bool()
	return auth.Reply{ConversationID: int32(id), Payload: payload.Data, Done: done}
}

// speculatedReply is speculativeAuthenticate of the reply to a handshake; nil
// if there is none. That of MONGODB-X509 has no conversation.
func speculatedReply(hello bson.Raw) *auth.Reply {
	doc, ok := hello.Lookup("speculativeAuthenticate").Document()
	if !ok {
		return nil
	}
	reply := parseAuthReply(doc.Lookup("conversationId").IsZero(), doc)
	return &reply
}
