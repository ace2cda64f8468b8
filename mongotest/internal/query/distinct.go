package query

import "github.com/motor-go/motor/bson"

// Distinct collects the distinct values of a path.
type Distinct struct{}

// NewDistinct checks the path.
func NewDistinct(path string, env *Env) (*Distinct, error) { return nil, errUnfinished }

// Add adds the values of one document.
func (d *Distinct) Add(doc bson.Raw) {}

// Values are the values in order, each as it was met first.
func (d *Distinct) Values() bson.RawArray { return nil }
