package mongod

import (
	"fmt"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
)

// saslConversation is a login in progress.
type saslConversation struct {
	db   string
	step func(payload []byte) (reply []byte, done bool, err error)
	user func() string // who has logged in, when it is done
}

var errAuthentication = errorf(codeAuthenticationFailed, "Authentication failed.")

// saslStart begins a login.
func saslStart(r *request) (*doc, error) {
	return r.conn.startSASL(r.body, r.db)
}

func (c *conn) startSASL(command bson.Raw, db string) (*doc, error) {
	c.sasl = nil
	mechanism, _ := command.Lookup("mechanism").Str()
	s := &saslConversation{db: db}
	switch {
	case slices.Contains(mechanisms, mechanism):
		lookup := func(name string) (auth.StoredKeys, bool) { return c.server.keys(userName{name, db}, mechanism) }
		scram, err := auth.NewServerConversation(mechanism, lookup, "")
		if err != nil {
			return nil, errAuthentication
		}
		scram.SkipEmptyExchange = command.Lookup("options", "skipEmptyExchange").Truthy()
		s.step, s.user = scram.Step, func() string { return scram.Username }
	case mechanism == auth.OIDC && len(c.server.OIDCTokens) > 0:
		oidc := &oidcConversation{users: c.server.OIDCTokens}
		s.step, s.user = oidc.step, func() string { return oidc.user }
	default:
		return nil, errorf(334, "Received authentication for mechanism %s which is not enabled", mechanism)
	}
	c.sasl = s
	return c.stepSASL(command.Lookup("payload"))
}

// saslContinue goes on with a login.
func saslContinue(r *request) (*doc, error) {
	if r.conn.sasl == nil {
		return nil, errorf(codeProtocolError, "No SASL session state found")
	}
	id := r.field("conversationId")
	switch {
	case !id.IsNumber():
		return nil, errorf(codeTypeMismatch, "Wrong type for field; expected number for conversationId: %s", formatElement(id))
	case whole(id) != 1:
		r.conn.sasl = nil
		return nil, errorf(codeProtocolError, "sasl: Mismatched conversation id")
	}
	return r.conn.stepSASL(r.field("payload"))
}

func (c *conn) stepSASL(v bson.RawValue) (*doc, error) {
	payload := []byte{}
	if b, ok := v.Binary(); ok {
		payload = b.Data
	} else if s, ok := v.Str(); ok {
		payload = []byte(s)
	}
	s := c.sasl
	reply, done, err := s.step(payload)
	if err != nil {
		c.sasl = nil
		return nil, errAuthentication
	}
	if done {
		c.sasl = nil
		c.logIn(userName{s.user(), s.db})
	}
	return newDoc().int32("conversationId", 1).bool("done", done).binary("payload", bson.Binary{Data: reply}), nil
}

func (c *conn) logIn(u userName) {
	if !slices.Contains(c.users, u) {
		c.users = append(c.users, u)
	}
}

// logout ends the login against the database.
func logout(r *request) (*doc, error) {
	r.conn.users = slices.DeleteFunc(r.conn.users, func(u userName) bool { return u.db == r.db })
	return newDoc(), nil
}

// authenticate is the command of X.509, where the certificate says who it is.
func authenticate(r *request) (*doc, error) {
	if m, _ := r.field("mechanism").Str(); m != auth.X509 {
		return nil, errorf(codeBadValue, "Unsupported mechanism %s", m)
	}
	u, ok := r.conn.certified()
	if !ok {
		return nil, errAuthentication
	}
	r.conn.logIn(u)
	return newDoc().str("dbname", "$external").str("user", u.name), nil
}

// saslFields are what hello says of authentication, if it is asked.
func (r *request) saslFields(reply *doc) error {
	if v := r.field("saslSupportedMechs"); v.Type == bson.TypeString {
		who, _ := v.Str()
		db, name, ok := strings.Cut(who, ".")
		if !ok {
			return errorf(codeBadValue, "username must contain a '.' separated database.user pair")
		}
		if user := r.server.user(userName{name, db}); user != nil {
			var have []string
			for _, m := range mechanisms {
				if !user.Lookup("credentials", m).IsZero() {
					have = append(have, m)
				}
			}
			reply.strings("saslSupportedMechs", have)
		}
	}
	return r.speculate(reply)
}

// speculate begins the login that hello carries along. If that fails the reply
// does not mention it.
func (r *request) speculate(reply *doc) error {
	v := r.field("speculativeAuthenticate")
	if v.IsZero() || !r.atLeast(4, 4) {
		return nil
	}
	d, ok := v.Document()
	switch {
	case !ok:
		return errorf(codeBadValue, "isMaster.speculativeAuthenticate must be an Object")
	case d.Len() == 0:
		return errorf(codeBadValue, "isMaster.speculativeAuthenticate must be a non-empty Object")
	}
	var answer *doc
	var err error
	db, _ := d.Lookup("db").Str()
	switch name := firstKey(d); name {
	case "saslStart":
		if db == "" {
			return nil
		}
		answer, err = r.conn.startSASL(d, db)
	case "authenticate":
		u, ok := r.conn.certified()
		if !ok {
			return nil
		}
		r.conn.logIn(u)
		answer = newDoc().str("dbname", "$external").str("user", u.name)
	default:
		return errorf(51769, "isMaster.speculativeAuthenticate unknown command: %s", name)
	}
	if err == nil {
		reply.doc("speculativeAuthenticate", answer.raw())
	}
	return nil
}

func connectionStatus(r *request) (*doc, error) {
	var users, roles []bson.Raw
	for _, u := range r.conn.users {
		users = append(users, newDoc().str("user", u.name).str("db", u.db).raw())
		roles = append(roles, documents(r.server.user(u).Lookup("roles"))...)
	}
	return newDoc().embed("authInfo", func(d *doc) {
		d.docs("authenticatedUsers", users).docs("authenticatedUserRoles", roles)
		if r.field("showPrivileges").Truthy() {
			d.docs("authenticatedUserPrivileges", nil)
		}
	}), nil
}

// getNonce is what is left of an old mechanism.
func getNonce(r *request) (*doc, error) {
	return newDoc().str("nonce", fmt.Sprintf("%016x", uint64(r.server.randomID()))), nil
}
