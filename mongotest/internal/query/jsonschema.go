package query

import "github.com/motor-go/motor/bson"

type schema struct{}

func parseSchema(doc bson.Raw, env *Env) (*schema, error) { return nil, errUnfinished }

func (s *schema) accepts(v bson.RawValue) bool { return false }
