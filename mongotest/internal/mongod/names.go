package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// checkDatabase refuses a name that no database can have.
func checkDatabase(db string) error {
	switch {
	case strings.Contains(db, "."):
		return errorf(codeInvalidNamespace, "'.' is an invalid character in a database name")
	case db == "" || len(db) > 63 || strings.ContainsAny(db, "/\\ \"\x00"):
		return errorf(codeInvalidNamespace, "Invalid database name: '%s'", db)
	}
	return nil
}

// checkCollection refuses a name that no collection can have, and nothing can
// be asked about.
func (r *request) checkCollection(ns storage.Namespace) error {
	switch name := ns.Collection; {
	case strings.Contains(name, "\x00"):
		return errorf(codeInvalidNamespace, "namespaces cannot have embedded null characters")
	case strings.HasPrefix(name, ".") && r.atLeast(5, 2):
		return errorf(codeInvalidNamespace, "Collection names cannot start with '.': %s", name)
	case strings.HasPrefix(name, "."):
		return errorf(codeInvalidNamespace, "Collection names cannot start with '.'")
	case name == "":
		return errorf(codeInvalidNamespace, "Invalid namespace specified '%s'", ns)
	}
	return nil
}

// checkReadable refuses names that stand for a command.
func (r *request) checkReadable(ns storage.Namespace) error {
	if strings.Contains(ns.Collection, "$") && !r.routes() {
		return errNotACollection(ns)
	}
	return nil
}

func errNotACollection(ns storage.Namespace) error {
	return errorf(codeInvalidNamespace, "Invalid collection name specified '%s'", ns)
}

// maxNamespace is how many bytes a namespace may have, oldMaxNamespace how many
// before 4.4.
const (
	maxNamespace    = 255
	oldMaxNamespace = 120
)

func (r *request) errTooLong(ns storage.Namespace, code int32) error {
	if r.atLeast(5, 0) {
		code = codeInvalidNamespace
	}
	return errorf(code, "Fully qualified namespace is too long. Namespace: %s Max: %d", ns, maxNamespace)
}

// checkLength refuses to make a collection whose name was too long before 4.4.
func (r *request) checkLength(ns storage.Namespace) error {
	if !r.atLeast(4, 4) && len(ns.String()) > oldMaxNamespace {
		return errorf(17381, "fully qualified namespace %s is too long (max is %d bytes)", ns, oldMaxNamespace)
	}
	return nil
}

// checkWritable refuses names that users cannot write to. A mongos leaves that
// to the shard.
func (r *request) checkWritable(ns storage.Namespace) error {
	if r.routes() {
		return nil
	}
	if ns.Collection == "system.views" || ns.Collection == "system.profile" {
		return r.errNotWritable(ns)
	}
	return r.checkCreatable(ns)
}

// checkCreatable refuses names that users cannot give.
func (r *request) checkCreatable(ns storage.Namespace) error {
	switch {
	case strings.Contains(ns.DB, "$"):
		return errNotACollection(ns)
	case strings.Contains(ns.Collection, "$") && !r.atLeast(5, 0):
		return errorf(codeInvalidNamespace, "invalid collection name")
	case strings.Contains(ns.Collection, "$"):
		return errorf(codeInvalidNamespace, "Invalid collection name: %s", ns.Collection)
	case strings.HasPrefix(ns.Collection, "system.") && !r.legalSystem(ns):
		if r.atLeast(5, 0) {
			return errorf(codeInvalidNamespace, "Invalid system namespace: %s", ns)
		}
		return r.errNotWritable(ns)
	case len(ns.String()) > maxNamespace:
		return r.errTooLong(ns, codeInvalidNamespace)
	case strings.Contains(ns.Collection, ".system.") && !strings.Contains(ns.Collection, ".system.sessions"):
		return errorf(codeBadValue, "Invalid namespace: %s", ns)
	}
	return nil
}

func (r *request) errNotWritable(ns storage.Namespace) error {
	if r.atLeast(5, 0) {
		return errorf(codeInvalidNamespace, "cannot write to %s", ns)
	}
	return errorf(codeInvalidNamespace, "cannot write to '%s'", ns)
}

// legalSystem reports whether a user may have the system collection.
func (r *request) legalSystem(ns storage.Namespace) bool {
	switch name := strings.TrimPrefix(ns.Collection, "system."); name {
	case "users", "js", "views", "profile":
		return true
	case "roles", "version", "keys", "backup_users", "new_users":
		return ns.DB == "admin"
	case "sessions", "indexBuilds":
		return ns.DB == "config"
	case "replset", "healthlog":
		return ns.DB == "local"
	default:
		return r.atLeast(5, 0) && strings.HasPrefix(name, "buckets.")
	}
}

// formatElement is a value as the server's messages show it.
func formatElement(v bson.RawValue) string {
	s := query.FormatDocument(newDoc().value("", v).raw())
	return strings.TrimSuffix(strings.TrimPrefix(s, "{ : "), " }")
}
