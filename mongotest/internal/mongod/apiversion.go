package mongod

import (
	"github.com/motor-go/motor/bson"
)

// checkAPI reads apiVersion, apiStrict and apiDeprecationErrors.
func (r *request) checkAPI() error {
	version, strict, deprecation := r.field("apiVersion"), r.field("apiStrict"), r.field("apiDeprecationErrors")
	if version.IsZero() && strict.IsZero() && deprecation.IsZero() {
		return nil
	}
	if !r.atLeast(4, 9) && !r.atLeast(5, 0) {
		for _, name := range []string{"apiVersion", "apiStrict", "apiDeprecationErrors"} {
			if !r.field(name).IsZero() {
				return errorf(codeUnknownField, "BSON field '%s.%s' is an unknown field.", r.command.name, name)
			}
		}
	}
	if version.IsZero() {
		return errorf(codeAPIVersion, "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion")
	}
	v, ok := version.Str()
	if !ok || version.Type != bson.TypeString {
		return newSchema("APIParametersFromClient").wrongType("apiVersion", version, "string")
	}
	if v != "1" {
		return errorf(codeAPIVersion, "API version must be \"1\"")
	}
	if strict.Truthy() && !r.command.stable {
		return errorf(codeAPIStrict, "Provided apiStrict:true, but the command %s is not in API Version 1. Information on supported commands "+
			"and migrations in API Version 1 can be found at https://www.mongodb.com/docs/manual/reference/stable-api", r.command.name)
	}
	if deprecation.Truthy() && r.command.name == "testDeprecation" {
		return errorf(codeAPIDeprecation, "Provided apiDeprecationErrors:true, but the command %s is deprecated in API Version 1", r.command.name)
	}
	if strict.Truthy() && r.command.name == "aggregate" {
		for _, stage := range documents(r.field("pipeline")) {
			switch name := firstKey(stage); name {
			case "$currentOp", "$indexStats", "$listLocalSessions", "$listSessions", "$planCacheStats", "$search":
				return errorf(codeAPIStrict, "stage %s is not allowed with 'apiStrict: true' in API Version 1", name)
			}
		}
	}
	return nil
}
