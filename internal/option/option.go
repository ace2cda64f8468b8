// Package option reads the optional last argument of a function, a struct of
// options whose zero fields are not set.
package option

import "reflect"

// Of is the options that a caller gave: none is the zero value. Of several, a
// field is that of the last in which it is set.
func Of[O any](given []O) (o O) {
	switch len(given) {
	case 0:
		return o
	case 1:
		return given[0]
	}
	return merge(given)
}

func merge[O any](given []O) (o O) {
	merged := reflect.ValueOf(&o).Elem()
	for _, g := range given {
		v := reflect.ValueOf(g)
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				merged.Field(i).Set(f)
			}
		}
	}
	return o
}
