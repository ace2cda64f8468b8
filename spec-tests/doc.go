// Package spectests runs the official tests of the MongoDB specifications.
//
// A fixture is a JSON file of the specifications, a suite is the tests of one
// format in one folder of them, and a source is where the fixtures are read
// from; none of them is copied into this module. Suites is the one table of
// suites. A test reports to a T, so that the same suite runs under go test and
// in cmd/spectest.
package spectests
