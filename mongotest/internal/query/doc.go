// Package query is the query language of a MongoDB server as pure functions
// over BSON: filters, updates, projections, sorts, collations, distinct values,
// index keys and aggregation pipelines.
//
// It knows no sockets, storage or clocks: the time, the claimed server version
// and access to other collections come in through an Env. What it refuses, it
// refuses with the server's own code and message, an *Error.
//
// A spec (filter, update, projection, sort, pipeline) is parsed once into a
// value that is safe for concurrent use, and applied to any number of
// documents. A missing value is the zero bson.RawValue.
package query
