package mongod

import (
	"maps"
	"slices"

	"github.com/motor-go/motor/bson"
)

// oidcConversation is a login by MONGODB-OIDC: a client without a token is told
// of an identity provider that would give it one, and then sends it.
type oidcConversation struct {
	users map[string]string // by access token
	user  string            // who the token is for, or should be
	told  bool              // of the identity provider
}

func (c *oidcConversation) step(payload []byte) (reply []byte, done bool, err error) {
	request := bson.Raw(payload)
	if request.Validate() != nil {
		return nil, false, errAuthentication
	}
	if token, ok := request.Lookup("jwt").Str(); ok {
		user, trusted := c.users[token]
		if !trusted || c.user != "" && c.user != user {
			return nil, false, errAuthentication
		}
		c.user = user
		return nil, true, nil
	}
	users := slices.Compact(slices.Sorted(maps.Values(c.users)))
	c.user, _ = request.Lookup("n").Str()
	switch {
	case c.told, c.user == "" && len(users) > 1, c.user != "" && !slices.Contains(users, c.user):
		return nil, false, errAuthentication
	}
	c.told = true
	return newDoc().str("issuer", "https://issuer.example").str("clientId", "mongotest").raw(), false, nil
}
