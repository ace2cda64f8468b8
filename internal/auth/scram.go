package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The names of the SCRAM mechanisms.
const (
	SCRAMSHA1   = "SCRAM-SHA-1"
	SCRAMSHA256 = "SCRAM-SHA-256"
)

// The iteration counts that the client accepts from a server. The lower bound
// is the specification's, against downgrades; the upper bound keeps a hostile
// server from buying seconds of CPU time with one message.
const (
	minIterations = 4096
	maxIterations = 1_000_000
)

// gs2Header says that the client does not support channel binding, and that it
// does not act for another user. biws is its base64, as client-final repeats it.
const (
	gs2Header = "n,,"
	biws      = "biws"
)

// SCRAM is the client's side of SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802,
// RFC 7677).
type SCRAM struct {
	secret scramSecret
	cache  *keyCache
	nonce  string
	next   func(challenge string) (response []byte, done bool, err error)

	clientFirstBare string
	serverSignature string
}

// NewSCRAM begins a conversation. An empty nonce stands for a random one; it
// must be printable and have no comma. It fails if the password cannot be
// prepared (SASLprep) for SCRAM-SHA-256.
func NewSCRAM(mechanism, username string, password Secret, nonce string) (*SCRAM, error) {
	secret, err := newSCRAMSecret(mechanism, username, password)
	if err != nil {
		return nil, err
	}
	return newSCRAM(secret, username, nonce, new(keyCache)), nil
}

func newSCRAM(secret scramSecret, username, nonce string, cache *keyCache) *SCRAM {
	if nonce == "" {
		nonce = randomNonce()
	}
	s := &SCRAM{
		secret:          secret,
		cache:           cache,
		nonce:           nonce,
		clientFirstBare: "n=" + escapeUser.Replace(username) + ",r=" + nonce,
	}
	s.next = s.clientFinal
	return s
}

// escapeUser replaces what separates attributes. User names are sent without
// SASLprep, against the RFC but as the specification says.
var (
	escapeUser   = strings.NewReplacer("=", "=3D", ",", "=2C")
	unescapeUser = strings.NewReplacer("=3D", "=", "=2C", ",")
)

func randomNonce() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// Start is the client-first-message.
func (s *SCRAM) Start() []byte { return []byte(gs2Header + s.clientFirstBare) }

// Step answers server-first with client-final, verifies server-final, and
// answers whatever follows with an empty payload.
func (s *SCRAM) Step(challenge []byte) (response []byte, done bool, err error) {
	step := s.next
	s.next = over
	return step(string(challenge))
}

// over is the step after an error.
func over(string) ([]byte, bool, error) {
	return nil, false, errors.New("the conversation is over")
}

func (s *SCRAM) clientFinal(serverFirst string) ([]byte, bool, error) {
	first, err := parseServerFirst(serverFirst)
	if err != nil {
		return nil, false, fmt.Errorf("server-first message: %w", err)
	}
	if len(first.nonce) <= len(s.nonce) || !strings.HasPrefix(first.nonce, s.nonce) {
		return nil, false, errors.New("server-first message: the nonce does not extend the client's")
	}
	keys, err := s.cache.keys(s.secret, first.salt, first.iterations)
	if err != nil {
		return nil, false, err
	}
	withoutProof := "c=" + biws + ",r=" + first.nonce
	authMessage := s.clientFirstBare + "," + serverFirst + "," + withoutProof
	signature := s.secret.hash.mac(s.secret.hash.sum(keys.client), authMessage)
	s.serverSignature = base64.StdEncoding.EncodeToString(s.secret.hash.mac(keys.server, authMessage))
	subtle.XORBytes(signature, signature, keys.client)
	s.next = s.verify
	return []byte(withoutProof + ",p=" + base64.StdEncoding.EncodeToString(signature)), false, nil
}

// verify checks the server's proof that it knows the user's keys.
func (s *SCRAM) verify(serverFinal string) ([]byte, bool, error) {
	name, value, _ := nextAttribute(serverFinal)
	switch name {
	case 'e':
		return nil, false, fmt.Errorf("server-final message: the server reports %q", value)
	case 'v':
		if !hmac.Equal([]byte(value), []byte(s.serverSignature)) {
			return nil, false, errors.New("server-final message: the signature is wrong, so the server does not know the user's keys; it may be an impostor")
		}
		s.next = s.empty
		return nil, true, nil
	default:
		return nil, false, errors.New("server-final message: neither a signature (v=) nor an error (e=)")
	}
}

func (s *SCRAM) empty(string) ([]byte, bool, error) { return nil, true, nil }

// serverFirst is the parsed server-first-message.
type serverFirst struct {
	nonce      string
	salt       []byte
	iterations int
}

func parseServerFirst(msg string) (f serverFirst, err error) {
	name, nonce, rest := nextAttribute(msg)
	if name == 'm' {
		return f, errors.New("mandatory extensions (m=) are not supported")
	}
	if name != 'r' || nonce == "" {
		return f, errors.New("no nonce (r=)")
	}
	name, salt, rest := nextAttribute(rest)
	if name != 's' || salt == "" {
		return f, errors.New("no salt (s=)")
	}
	name, iterations, _ := nextAttribute(rest)
	if name != 'i' {
		return f, errors.New("no iteration count (i=)")
	}
	f.nonce = nonce
	if f.salt, err = base64.StdEncoding.DecodeString(salt); err != nil {
		return f, fmt.Errorf("the salt is not base64: %w", err)
	}
	if f.iterations, err = strconv.Atoi(iterations); err != nil {
		return f, errors.New("the iteration count is not a number")
	}
	if f.iterations < minIterations || f.iterations > maxIterations {
		return f, fmt.Errorf("iteration count %d is not between %d and %d", f.iterations, minIterations, maxIterations)
	}
	return f, nil
}

// nextAttribute splits "x=value,rest". The name is 0 if there is none.
func nextAttribute(msg string) (name byte, value, rest string) {
	attribute, rest, _ := strings.Cut(msg, ",")
	if len(attribute) < 2 || attribute[1] != '=' {
		return 0, "", ""
	}
	return attribute[0], attribute[2:], rest
}
