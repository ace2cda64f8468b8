package query

import (
	"strconv"

	"github.com/motor-go/motor/bson"
)

// onArrays is the part that predicates on whole arrays have in common.
type onArrays struct{}

func (onArrays) wholeArrays() bool { return true }

// size is $size.
type size struct {
	onArrays
	n int64
}

func (p *size) accepts(v bson.RawValue, _ *int) (bool, error) {
	return isArray(v) && int64(bson.RawArray(v.Value).Len()) == p.n, nil
}

func (p *size) bind(path string) node { return bindPath(path, p) }
func (p *size) kind() int             { return kindSize }
func (p *size) String() string        { return "$size : " + strconv.FormatInt(p.n, 10) }

// elemMatchObject is $elemMatch with a query on the elements, which are
// documents or arrays.
type elemMatchObject struct {
	onArrays
	query node
}

func (p *elemMatchObject) accepts(v bson.RawValue, position *int) (bool, error) {
	return anyElement(v, position, func(e bson.RawValue) (bool, error) {
		if !isObject(e) && !isArray(e) {
			return false, nil
		}
		return p.query.match(e.Value, nil)
	})
}

func (p *elemMatchObject) bind(path string) node { return bindPath(path, p) }
func (p *elemMatchObject) kind() int             { return kindElemMatchObject }
func (p *elemMatchObject) String() string        { return "$elemMatch (obj)" }

// elemMatchValue is $elemMatch with operators on the elements.
type elemMatchValue struct {
	onArrays
	pred predicate
}

func (p *elemMatchValue) accepts(v bson.RawValue, position *int) (bool, error) {
	return anyElement(v, position, func(e bson.RawValue) (bool, error) {
		inner := -1
		return p.pred.accepts(e, &inner)
	})
}

func (p *elemMatchValue) bind(path string) node { return bindPath(path, p) }
func (p *elemMatchValue) kind() int             { return kindElemMatchValue }
func (p *elemMatchValue) String() string        { return "$elemMatch (value)" }

func anyElement(v bson.RawValue, position *int, accepts func(bson.RawValue) (bool, error)) (bool, error) {
	if !isArray(v) {
		return false, nil
	}
	i := 0
	for e := range bson.RawArray(v.Value).Values() {
		ok, err := accepts(e)
		if err != nil {
			return false, err
		}
		if ok {
			if position != nil {
				*position = i
			}
			return true, nil
		}
		i++
	}
	return false, nil
}
