package spectests

import (
	"fmt"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

// decodeAs is decode as a conversion.
func decodeAs[S, V any](value func(S) (V, error)) func(bson.RawValue) (any, error) {
	return func(v bson.RawValue) (any, error) {
		doc, ok := v.Document()
		if !ok {
			return nil, fmt.Errorf("%v is not a document", v)
		}
		var s S
		if err := decode(&s, doc); err != nil {
			return nil, err
		}
		return value(s)
	}
}

var readConcern = decodeAs(func(s struct{ Level string }) (motor.ReadConcern, error) {
	return motor.ReadConcern{Level: s.Level}, nil
})

var writeConcern = decodeAs(func(s struct {
	W        bson.RawValue `spec:"optional"`
	Journal  *bool         `spec:"optional"`
	WTimeout time.Duration `spec:"optional"`
},
) (motor.WriteConcern, error) {
	w := motor.WriteConcern{Journal: s.Journal, WTimeout: s.WTimeout}
	if mode, ok := s.W.Str(); ok {
		w.W = mode
	} else if n, ok := s.W.AsInt64(); ok {
		w.W = int(n)
	}
	return w, nil
})

var readPreference = decodeAs(func(s struct {
	Mode         string
	TagSets      []bson.Raw             `spec:"optional"`
	MaxStaleness time.Duration          `spec:"optional"`
	Hedge        struct{ Enabled bool } `spec:"optional"`
},
) (motor.ReadPreference, error) {
	mode, err := concern.ParseMode(s.Mode)
	rp := motor.ReadPreference{Mode: mode, MaxStaleness: s.MaxStaleness}
	if s.Hedge.Enabled {
		rp.Hedge = new(true)
	}
	for _, doc := range s.TagSets {
		var set concern.TagSet
		for name, v := range doc.All() {
			value, _ := v.Str()
			set = append(set, concern.Tag{Name: name, Value: value})
		}
		rp.TagSets = append(rp.TagSets, set)
	}
	return rp, err
})

var transactionOptions = decodeAs(func(s struct{ motor.TransactionOptions }) (motor.TransactionOptions, error) {
	return s.TransactionOptions, nil
})
