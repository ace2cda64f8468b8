package mongod

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// userName names a user: the database is where the credentials are.
type userName struct{ name, db string }

func (u userName) id() string { return u.db + "." + u.name }

// systemUsers is the collection of all users.
var systemUsers = storage.Namespace{DB: "admin", Collection: "system.users"}

// mechanisms are those of SCRAM, the preferred one first.
var mechanisms = []string{auth.SCRAMSHA256, auth.SCRAMSHA1}

// user is the document of a user, nil if there is none.
func (s *Server) user(u userName) bson.Raw {
	c := s.Engine.State().Collection(systemUsers)
	if c == nil {
		return nil
	}
	id, ok := c.ByID(stringValue(u.id()))
	if !ok {
		return nil
	}
	d, _ := c.Get(id)
	return d
}

// keys are what is kept of a user's password for a mechanism.
func (s *Server) keys(u userName, mechanism string) (k auth.StoredKeys, ok bool) {
	d, ok := s.user(u).Lookup("credentials", mechanism).Document()
	if !ok {
		return k, false
	}
	decode := func(name string) []byte {
		text, _ := d.Lookup(name).Str()
		b, _ := base64.StdEncoding.DecodeString(text)
		return b
	}
	return auth.StoredKeys{
		Mechanism: mechanism, Salt: decode("salt"), Iterations: int(whole(d.Lookup("iterationCount"))),
		StoredKey: decode("storedKey"), ServerKey: decode("serverKey"),
	}, true
}

// userDocument is what is stored of a user.
func userDocument(u userName, password string, mechanisms []string, roles []bson.Raw) (bson.Raw, error) {
	credentials := newDoc()
	for _, m := range mechanisms {
		k, err := auth.NewStoredKeys(m, u.name, auth.Secret(password), nil, 0)
		if err != nil {
			return nil, errorf(codeBadValue, "%s", err)
		}
		credentials.embed(m, func(d *doc) {
			d.int32("iterationCount", int32(k.Iterations)).str("salt", base64.StdEncoding.EncodeToString(k.Salt))
			d.str("storedKey", base64.StdEncoding.EncodeToString(k.StoredKey))
			d.str("serverKey", base64.StdEncoding.EncodeToString(k.ServerKey))
		})
	}
	d := newDoc().str("_id", u.id()).binary("userId", storage.NewUUID().Binary()).str("user", u.name).str("db", u.db)
	return d.doc("credentials", credentials.raw()).docs("roles", roles).raw(), nil
}

// AddUser makes a user that may do everything. One of the database $external
// has no password.
func AddUser(ctx context.Context, e *storage.Engine, db, name, password string) error {
	role := newDoc().str("role", "root").str("db", "admin").raw()
	has := mechanisms
	if db == "$external" {
		has = nil
	}
	d, err := userDocument(userName{name, db}, password, has, []bson.Raw{role})
	if err != nil {
		return err
	}
	r := &request{server: &Server{Config: Config{Engine: e}}, ctx: ctx}
	_, err = e.Write(ctx, nil, func(tx *storage.Tx) error { return r.putUser(tx, d, true) })
	return err
}

// putUser writes the document of a user.
func (r *request) putUser(tx *storage.Tx, d bson.Raw, fresh bool) error {
	c, err := r.target(tx, systemUsers, true)
	if err != nil {
		return err
	}
	op := &storage.Op{Kind: storage.Insert, NS: systemUsers, UUID: c.UUID, After: d, Stmt: storage.NoStmt}
	if id, found := c.ByID(d.Lookup("_id")); found {
		if fresh {
			user, _ := d.Lookup("user").Str()
			db, _ := d.Lookup("db").Str()
			return errorf(51003, "User \"%s@%s\" already exists", user, db)
		}
		op.Kind, op.Record = storage.Replace, id
		op.Before, _ = c.Get(id)
	}
	return tx.Do(op)
}

var userFields = []string{"pwd", "roles", "customData", "mechanisms", "digestPassword", "passwordDigestor", "authenticationRestrictions"}

// parseUser reads what createUser and updateUser have in common.
func (r *request) parseUser() (u userName, mechs []string, roles []bson.Raw, err error) {
	v := r.first()
	name, ok := v.Str()
	if !ok || v.Type != bson.TypeString {
		return u, nil, nil, errorf(codeTypeMismatch, "\"%s\" had the wrong type. Expected string, found %s", r.command.name, query.TypeName(v.Type))
	}
	u = userName{name, r.db}
	first := true
	for field := range r.body.Keys() {
		if !first && !slices.Contains(userFields, field) && !r.server.Version.generic(field) {
			return u, nil, nil, errorf(codeBadValue, "\"%s\" is not a valid argument to %s", field, r.command.name)
		}
		first = false
	}
	mechs = slices.Clone(mechanisms)
	if arr, ok := r.field("mechanisms").Array(); ok {
		if mechs = nil; arr.Len() == 0 {
			return u, nil, nil, errorf(12, "mechanisms field must not be empty")
		}
		for v := range arr.Values() {
			m, _ := v.Str()
			if !slices.Contains(mechanisms, m) {
				return u, nil, nil, errorf(codeBadValue, "Unknown auth mechanism '%s'", m)
			}
			mechs = append(mechs, m)
		}
	}
	if arr, ok := r.field("roles").Array(); ok {
		for v := range arr.Values() {
			role, db := "", r.db
			if d, ok := v.Document(); ok {
				role, _ = d.Lookup("role").Str()
				db, _ = d.Lookup("db").Str()
			} else {
				role, _ = v.Str()
			}
			if _, known := builtinRoles[role]; !known {
				return u, nil, nil, errorf(31, "No role named %s@%s", role, db)
			}
			roles = append(roles, newDoc().str("role", role).str("db", db).raw())
		}
	}
	return u, mechs, roles, nil
}

func createUser(r *request) (*doc, error) {
	u, mechs, roles, err := r.parseUser()
	if err != nil {
		return nil, err
	}
	password, given := r.field("pwd").Str()
	switch {
	case u.name == "":
		return nil, errorf(codeBadValue, "User document needs 'user' field to be non-empty")
	case r.db == "local":
		return nil, errorf(codeBadValue, "Cannot create users in the local database")
	case !given && r.db != "$external":
		return nil, errorf(codeBadValue, "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db")
	case given && password == "":
		return nil, errorf(codeBadValue, "User passwords must not be empty")
	case r.field("roles").Type != bson.TypeArray:
		return nil, errorf(codeBadValue, "\"createUser\" command requires a \"roles\" array")
	}
	d, err := userDocument(u, password, mechs, roles)
	if err != nil {
		return nil, err
	}
	return newDoc(), r.transact(func(tx *storage.Tx) error { return r.putUser(tx, d, true) })
}

func updateUser(r *request) (*doc, error) {
	u, mechs, roles, err := r.parseUser()
	if err != nil {
		return nil, err
	}
	old := r.server.user(u)
	if old == nil {
		return nil, errorf(11, "User %s@%s not found", u.name, u.db)
	}
	if r.field("roles").IsZero() {
		roles = documents(old.Lookup("roles"))
	}
	d := old
	if password, given := r.field("pwd").Str(); given {
		if d, err = userDocument(u, password, mechs, roles); err != nil {
			return nil, err
		}
	} else {
		d = overlay(old, newDoc().docs("roles", roles).raw())
	}
	return newDoc(), r.transact(func(tx *storage.Tx) error { return r.putUser(tx, d, false) })
}

// removeUsers removes the users that match, and counts them.
func (r *request) removeUsers(match func(d bson.Raw) bool) (n int64, err error) {
	err = r.transact(func(tx *storage.Tx) error {
		n = 0
		c := tx.State().Collection(systemUsers)
		if c == nil {
			return nil
		}
		var doomed []*storage.Op
		c.Scan(0, false, func(id storage.RecordID, d bson.Raw) bool {
			if match(d) {
				doomed = append(doomed, &storage.Op{Kind: storage.Delete, NS: systemUsers, UUID: c.UUID, Record: id, Before: d, Stmt: storage.NoStmt})
			}
			return true
		})
		for _, op := range doomed {
			if err := tx.Do(op); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func dropUser(r *request) (*doc, error) {
	name, _ := r.first().Str()
	u := userName{name, r.db}
	n, err := r.removeUsers(func(d bson.Raw) bool {
		id, _ := d.Lookup("_id").Str()
		return id == u.id()
	})
	if err == nil && n == 0 {
		err = errorf(11, "User '%s@%s' not found", u.name, u.db)
	}
	return newDoc(), err
}

func dropAllUsers(r *request) (*doc, error) {
	n, err := r.removeUsers(func(d bson.Raw) bool {
		db, _ := d.Lookup("db").Str()
		return db == r.db
	})
	return newDoc().int64("n", n), err
}

// usersInfo lists users: one, a list of them, or all of the database.
func usersInfo(r *request) (*doc, error) {
	var wanted []userName
	all := false
	add := func(v bson.RawValue) {
		if name, ok := v.Str(); ok {
			wanted = append(wanted, userName{name, r.db})
		} else if d, ok := v.Document(); ok {
			name, _ := d.Lookup("user").Str()
			db, _ := d.Lookup("db").Str()
			all = all || name == ""
			wanted = append(wanted, userName{name, db})
		}
	}
	switch v := r.first(); v.Type {
	case bson.TypeArray:
		for e := range bson.RawArray(v.Value).Values() {
			add(e)
		}
	case bson.TypeString, bson.TypeEmbeddedDocument:
		add(v)
	default:
		all = true
	}
	var users []bson.Raw
	if c := r.server.Engine.State().Collection(systemUsers); c != nil {
		c.Scan(0, false, func(_ storage.RecordID, d bson.Raw) bool {
			name, _ := d.Lookup("user").Str()
			db, _ := d.Lookup("db").Str()
			if slices.Contains(wanted, userName{name, db}) || all && (db == r.db || len(wanted) > 0) {
				users = append(users, userInfo(d, r.field("showCredentials").Truthy()))
			}
			return true
		})
	}
	return newDoc().docs("users", users), nil
}

func userInfo(user bson.Raw, credentials bool) bson.Raw {
	d := newDoc()
	var mechs []string
	for name, v := range user.All() {
		if name == "credentials" {
			for m := range bson.Raw(v.Value).Keys() {
				mechs = append(mechs, m)
			}
			if !credentials {
				continue
			}
		}
		d.value(name, v)
	}
	return d.strings("mechanisms", mechs).raw()
}

// power is what a role lets a user do.
type power int

const (
	mayRead power = 1 << iota
	mayWrite
	mayManage // collections and indexes
	mayManageUsers
	mayMonitor
	mayEverything = mayRead | mayWrite | mayManage | mayManageUsers | mayMonitor
)

// builtinRoles are the roles that every server has. Those of which the name
// ends with AnyDatabase, and those of the cluster, are for all databases.
var builtinRoles = map[string]power{
	"read": mayRead, "readWrite": mayRead | mayWrite | mayManage, "dbAdmin": mayManage, "userAdmin": mayManageUsers,
	"dbOwner": mayRead | mayWrite | mayManage | mayManageUsers, "root": mayEverything, "__system": mayEverything,
	"readAnyDatabase": mayRead, "readWriteAnyDatabase": mayRead | mayWrite | mayManage, "dbAdminAnyDatabase": mayManage,
	"userAdminAnyDatabase": mayManageUsers, "clusterAdmin": mayMonitor | mayManage, "clusterManager": mayMonitor,
	"clusterMonitor": mayMonitor, "hostManager": mayMonitor, "backup": mayRead | mayMonitor, "restore": mayWrite | mayManage,
	"enableSharding": mayMonitor,
}

// allowed reports whether the users of a connection may run a command.
func (r *request) allowed() bool {
	need := r.command.needs
	if need == 0 {
		return true
	}
	if r.command.name == "aggregate" {
		for _, stage := range documents(r.field("pipeline")) {
			for name := range stage.Keys() {
				switch name {
				case "$out", "$merge":
					need |= mayWrite
				case "$currentOp":
					need |= mayMonitor
				}
			}
		}
	}
	for _, u := range r.conn.users {
		for _, role := range documents(r.server.user(u).Lookup("roles")) {
			name, _ := role.Lookup("role").Str()
			db, _ := role.Lookup("db").Str()
			everywhere := db == "admin" && (strings.HasSuffix(name, "AnyDatabase") || builtinRoles[name]&mayMonitor != 0)
			if db == r.db || everywhere {
				need &^= builtinRoles[name]
			}
		}
	}
	return need == 0
}

// dropGoneUsers logs out the users of a connection that are there no more.
func (c *conn) dropGoneUsers() {
	c.users = slices.DeleteFunc(c.users, func(u userName) bool { return c.server.user(u) == nil })
}

// notAuthorized is the error of who may not run a command. Passwords in it are
// not shown.
func (r *request) notAuthorized() error {
	d := newDoc()
	for name, v := range r.body.All() {
		if name == "pwd" {
			v = stringValue("xxx")
		}
		d.value(name, v)
	}
	return errorf(codeUnauthorized, "not authorized on %s to execute command %s", r.db, query.FormatDocument(d.raw()))
}
