package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
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

// validCollection reports whether a collection can have the name.
func validCollection(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.ContainsRune(name, 0)
}

// formatElement is a value as the server's messages show it.
func formatElement(v bson.RawValue) string {
	s := query.FormatDocument(newDoc().value("", v).raw())
	return strings.TrimSuffix(strings.TrimPrefix(s, "{ : "), " }")
}
