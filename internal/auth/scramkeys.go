package auth

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"github.com/xdg-go/stringprep"
)

// scramHash is the hash function of a SCRAM mechanism.
type scramHash func() hash.Hash

func (h scramHash) sum(b []byte) []byte {
	d := h()
	d.Write(b)
	return d.Sum(nil)
}

func (h scramHash) mac(key []byte, msg string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(msg))
	return m.Sum(nil)
}

// scramSecret is a password in the form that a SCRAM mechanism derives its keys
// from.
type scramSecret struct {
	mechanism string
	hash      scramHash
	password  Secret
}

func newSCRAMSecret(mechanism, username string, password Secret) (scramSecret, error) {
	switch mechanism {
	case SCRAMSHA1:
		// The digest of MongoDB's first mechanism, kept so that old users
		// could be upgraded. Neither part is prepared.
		digest := md5.Sum([]byte(username + ":mongo:" + string(password)))
		return scramSecret{mechanism, sha1.New, Secret(hex.EncodeToString(digest[:]))}, nil
	case SCRAMSHA256:
		prepared, err := stringprep.SASLprep.Prepare(string(password))
		if err != nil {
			// The error of stringprep would show a part of the password.
			return scramSecret{}, fmt.Errorf("the password has a character that %s forbids (SASLprep, RFC 4013)", mechanism)
		}
		return scramSecret{mechanism, sha256.New, Secret(prepared)}, nil
	default:
		return scramSecret{}, fmt.Errorf("%q is not a SCRAM mechanism", mechanism)
	}
}

// scramKeys are the keys that a salt and an iteration count give a password.
type scramKeys struct{ client, server []byte }

func (s scramSecret) derive(salt []byte, iterations int) (scramKeys, error) {
	salted, err := pbkdf2.Key(s.hash, string(s.password), salt, iterations, s.hash().Size())
	if err != nil {
		return scramKeys{}, fmt.Errorf("deriving the key of %s: %w", s.mechanism, err)
	}
	return scramKeys{
		client: s.hash.mac(salted, "Client Key"),
		server: s.hash.mac(salted, "Server Key"),
	}, nil
}

// keyCache remembers derived keys, which take milliseconds each: every new
// connection to the same deployment needs the same ones. The zero value is
// empty.
type keyCache struct {
	mu      sync.Mutex
	entries map[keyCacheKey]scramKeys
}

type keyCacheKey struct {
	mechanism  string
	password   [sha256.Size]byte
	salt       string
	iterations int
}

// maxCachedKeys bounds the cache against servers that invent salts. A sharded
// cluster has one salt per user.
const maxCachedKeys = 64

func (c *keyCache) keys(s scramSecret, salt []byte, iterations int) (scramKeys, error) {
	key := keyCacheKey{s.mechanism, sha256.Sum256([]byte(s.password)), string(salt), iterations}
	c.mu.Lock()
	keys, ok := c.entries[key]
	c.mu.Unlock()
	if ok {
		return keys, nil
	}
	keys, err := s.derive(salt, iterations)
	if err != nil {
		return keys, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCachedKeys {
		c.entries = make(map[keyCacheKey]scramKeys)
	}
	c.entries[key] = keys
	return keys, nil
}
