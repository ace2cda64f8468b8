package query

import "github.com/motor-go/motor/bson"

// Near is a $near or $nearSphere query: the result is sorted by distance.
type Near struct{ Path string }

func (p *filterParser) geo(path string, doc bson.Raw) (predicate, error) { return nil, nil }
