package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
)

// parseReadPreference is the mode that $readPreference gives, "" if it is not
// there.
func parseReadPreference(v bson.RawValue) (mode string, err error) {
	if v.IsZero() {
		return "", nil
	}
	d, ok := v.Document()
	if !ok {
		return "", errorf(codeTypeMismatch, "$readPreference has incorrect type: expected object but got %s", query.TypeName(v.Type))
	}
	m := d.Lookup("mode")
	mode, ok = m.Str()
	switch {
	case m.IsZero():
		return "", errorf(codeMissingField, "BSON field 'readPreference.mode' is missing but a required field")
	case !ok:
		return "", newSchema("readPreference").wrongType("mode", m, "string")
	}
	tags, _ := d.Lookup("tags").Array()
	staleness := d.Lookup("maxStalenessSeconds")
	hedge, hedged := d.Lookup("hedge").Document()
	switch mode {
	case "primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest":
	default:
		return "", errorf(codeBadValue, "Could not parse $readPreference mode '%s'. Only the modes 'primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', and 'nearest' are supported. :: caused by :: Enumeration value '%s' for field 'mode' is not a valid value.", mode, mode)
	}
	switch n := whole(staleness); {
	case mode == "primary" && tags.Len() > 0 && !(tags.Len() == 1 && bson.Raw(tags.Index(0).Value).Len() == 0):
		return "", errorf(codeBadValue, "Only empty tags are allowed with primary read preference")
	case mode == "primary" && n > 0:
		return "", errorf(codeBadValue, "maxStalenessSeconds can not be set for the primary mode")
	case n < 0:
		return "", errorf(160, "maxStalenessSeconds must be a non-negative integer")
	case n > 0 && n < 90:
		return "", errorf(160, "maxStalenessSeconds value can not be less than 90")
	case hedged && mode == "primary" && (hedge.Lookup("enabled").IsZero() || hedge.Lookup("enabled").Truthy()):
		return "", errorf(codeInvalidOptions, "cannot enable hedging for $readPreference mode \"primaryOnly\"")
	}
	return mode, nil
}
