package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// StoredKeys is what a server keeps of a user's password for one SCRAM
// mechanism. It verifies the password and cannot be turned back into it.
type StoredKeys struct {
	Mechanism  string
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// NewStoredKeys derives what a server keeps of a password. A nil salt stands
// for a random one, 0 iterations for the server's default: 10,000 for
// SCRAM-SHA-1 and 15,000 for SCRAM-SHA-256.
func NewStoredKeys(mechanism, username string, password Secret, salt []byte, iterations int) (StoredKeys, error) {
	secret, err := newSCRAMSecret(mechanism, username, password)
	if err != nil {
		return StoredKeys{}, err
	}
	if salt == nil {
		// The server's salts are four bytes shorter than the hash, which
		// leaves the first block of the key derivation room for its counter.
		salt = make([]byte, secret.hash().Size()-4)
		rand.Read(salt)
	}
	if iterations == 0 {
		iterations = 10_000
		if mechanism == SCRAMSHA256 {
			iterations = 15_000
		}
	}
	keys, err := secret.derive(salt, iterations)
	if err != nil {
		return StoredKeys{}, err
	}
	return StoredKeys{mechanism, salt, iterations, secret.hash.sum(keys.client), keys.server}, nil
}

// ServerConversation is the server's side of one SCRAM conversation.
type ServerConversation struct {
	// Username is the user whom the client claims to be, once Step has seen
	// the first message.
	Username string
	// SkipEmptyExchange is the option of saslStart that saves the last,
	// empty exchange.
	SkipEmptyExchange bool

	hash   scramHash
	lookup func(username string) (StoredKeys, bool)
	nonce  string
	next   func(msg string) (reply []byte, done bool, err error)

	keys            StoredKeys
	clientFirstBare string
	serverFirst     string
}

// NewServerConversation begins the server's side. lookup finds the keys of a
// user for the mechanism. An empty nonce stands for a random one.
func NewServerConversation(mechanism string, lookup func(username string) (StoredKeys, bool), nonce string) (*ServerConversation, error) {
	secret, err := newSCRAMSecret(mechanism, "", "")
	if err != nil {
		return nil, err
	}
	if nonce == "" {
		nonce = randomNonce()
	}
	s := &ServerConversation{hash: secret.hash, lookup: lookup, nonce: nonce}
	s.next = s.first
	return s, nil
}

// Step answers one payload of the client. done is what the reply says; the
// client is authenticated as soon as it is true, and not earlier. A client
// should learn no more of an error than that authentication failed.
func (s *ServerConversation) Step(payload []byte) (reply []byte, done bool, err error) {
	step := s.next
	s.next = over
	return step(string(payload))
}

func (s *ServerConversation) first(msg string) ([]byte, bool, error) {
	bare, ok := strings.CutPrefix(msg, gs2Header)
	if !ok {
		return nil, false, fmt.Errorf("client-first message does not begin with %q: channel binding and other identities are not supported", gs2Header)
	}
	name, user, rest := nextAttribute(bare)
	if name != 'n' {
		return nil, false, errors.New("client-first message: no user (n=)")
	}
	name, nonce, _ := nextAttribute(rest)
	if name != 'r' || nonce == "" {
		return nil, false, errors.New("client-first message: no nonce (r=)")
	}
	s.Username = unescapeUser.Replace(user)
	if s.keys, ok = s.lookup(s.Username); !ok {
		return nil, false, fmt.Errorf("no user %q with this mechanism", s.Username)
	}
	s.nonce = nonce + s.nonce
	s.clientFirstBare = bare
	s.serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString(s.keys.Salt), s.keys.Iterations)
	s.next = s.final
	return []byte(s.serverFirst), false, nil
}

func (s *ServerConversation) final(msg string) ([]byte, bool, error) {
	withoutProof, encoded, ok := strings.Cut(msg, ",p=")
	if !ok {
		return nil, false, errors.New("client-final message: no proof (p=)")
	}
	if withoutProof != "c="+biws+",r="+s.nonce {
		return nil, false, errors.New("client-final message: the nonce or the channel binding differs from what was agreed")
	}
	proof, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(proof) != len(s.keys.StoredKey) {
		return nil, false, errors.New("client-final message: the proof has not the form of one")
	}
	authMessage := s.clientFirstBare + "," + s.serverFirst + "," + withoutProof
	signature := s.hash.mac(s.keys.StoredKey, authMessage)
	subtle.XORBytes(proof, proof, signature)
	if subtle.ConstantTimeCompare(s.hash.sum(proof), s.keys.StoredKey) != 1 {
		return nil, false, fmt.Errorf("wrong password of user %q", s.Username)
	}
	if !s.SkipEmptyExchange {
		s.next = s.empty
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(s.hash.mac(s.keys.ServerKey, authMessage))), s.SkipEmptyExchange, nil
}

func (s *ServerConversation) empty(msg string) ([]byte, bool, error) {
	if msg != "" {
		return nil, false, errors.New("the last message of the client is not empty")
	}
	return []byte{}, true, nil
}
