package query

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/javascript"
)

// Script is a function in JavaScript.
type Script struct {
	function *javascript.Function
	scope    bson.Raw
	env      *Env
}

// NewScript reads a function: a string, or code with or without scope. The
// Env must let functions run.
func NewScript(code bson.RawValue, env *Env) (*Script, error) {
	if env.Scripting == nil {
		return nil, errorf(31264, "Cannot run server-side javascript without the javascript engine enabled")
	}
	s := &Script{env: env}
	text, ok := code.Str()
	if js, scope, is := code.CodeWithScope(); is {
		text, s.scope, ok = js, scope, true
	}
	if !ok {
		return nil, errorf(codeTypeMismatch, "a function is code or a string, not %s", TypeName(code.Type))
	}
	var err error
	if s.function, err = javascript.Compile(text); err != nil {
		return nil, errorf(codeJSInterpreterFailure, "%v", err)
	}
	return s, nil
}

// Call calls the function. emit takes what it emits; nil lets it emit nothing.
func (s *Script) Call(emit func(key, v bson.RawValue), this bson.RawValue, args ...bson.RawValue) (bson.RawValue, error) {
	v, err := s.function.Call(s.env.Scripting, javascript.Env{Emit: emit, Scope: s.scope}, this, args...)
	if err != nil {
		return missing, errorf(codeJSInterpreterFailure, "%v", err)
	}
	return v, nil
}
