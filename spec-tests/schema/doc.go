// Package schema checks files of the unified test format against its JSON
// schemas. It is a module of its own: nothing else needs a schema library.
package schema
