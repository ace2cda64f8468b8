package bson

import (
	"reflect"
	"strings"
)

// fieldTag is what the tag of a struct field says.
type fieldTag struct {
	name                                           string
	omitEmpty, omitZero, inline, minSize, truncate bool
	skip                                           bool
}

// parseTag reads the tag `bson:"name,option,..."` of f. A tag without any key
// is read as a whole, and with useJSON the json tag stands in for a missing
// bson tag. A field without a name in its tag has its own in lower case. Unknown
// options mean nothing, as in other drivers.
func parseTag(f reflect.StructField, useJSON bool) fieldTag {
	text, ok := f.Tag.Lookup("bson")
	if !ok && useJSON {
		text, ok = f.Tag.Lookup("json")
	}
	if !ok && !strings.Contains(string(f.Tag), ":") {
		text = string(f.Tag)
	}
	if text == "-" {
		return fieldTag{skip: true}
	}
	name, options, _ := strings.Cut(text, ",")
	tag := fieldTag{name: name}
	if name == "" {
		tag.name = strings.ToLower(f.Name)
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			tag.omitEmpty = true
		case "omitzero":
			tag.omitZero = true
		case "inline":
			tag.inline = true
		case "minsize":
			tag.minSize = true
		case "truncate":
			tag.truncate = true
		}
	}
	return tag
}
