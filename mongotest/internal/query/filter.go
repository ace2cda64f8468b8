package query

import "github.com/motor-go/motor/bson"

// Filter is a parsed query.
type Filter struct{}

// ParseFilter reads a query. nil is the empty query.
func ParseFilter(filter bson.Raw, env *Env) (*Filter, error) { return nil, errUnfinished }

// ParseValidator reads a collection's validator, in which $where, $text and the
// $near operators are not allowed.
func ParseValidator(filter bson.Raw, env *Env) (*Filter, error) { return nil, errUnfinished }

// Match reports whether the document matches. Only $expr makes it fail.
func (f *Filter) Match(doc bson.Raw) (bool, error) { return false, errUnfinished }

// MatchPosition is Match, and the index of the array element that matched, for
// Update.Apply. It is -1 if no array was involved.
func (f *Filter) MatchPosition(doc bson.Raw) (position int, ok bool, err error) {
	return -1, false, errUnfinished
}

// Equal is the value that the path must have in every match, and whether there
// is one: an index or _id lookup may replace a scan. With a collation that
// compares strings the value stands for all strings that are equal to it.
func (f *Filter) Equal(path string) (v bson.RawValue, ok bool) { return v, false }

// Tree is the query as the planner's errors show it.
func (f *Filter) Tree() string { return "" }
