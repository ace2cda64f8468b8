package bson

// Unmarshal decodes the document data into what dst, a pointer or a map, refers
// to. Where the Go type is any, documents become D and arrays A, at every depth,
// and other values the type that this package has for them. Names and tags of
// struct fields are as for Marshal; elements that no field takes are passed over
// unread. A key that differs from the lower-case name of a field in case alone
// goes there too.
//
// Numbers become Go numbers if nothing is lost; null becomes a type's zero
// value. Existing maps are added to, slices are replaced but use the memory
// that is there, pointers are followed.
//
// data may be changed afterwards. Of a D, M or A, each part keeps the memory of
// the whole alive, so clone what is to outlive the rest.
//
// The error is a *DecodeError.
func Unmarshal(data []byte, dst any) error {
	return defaultConfig.unmarshal(TypeEmbeddedDocument, data, dst)
}

// Unmarshal decodes v into what dst, a pointer or a map, refers to.
func (v RawValue) Unmarshal(dst any) error {
	return defaultConfig.unmarshalValue(v, dst)
}

// Unmarshal decodes r into what dst, a pointer or a map, refers to.
func (r Raw) Unmarshal(dst any) error { return Unmarshal(r, dst) }

// Unmarshal is the function of that name with the options o.
func (o Options) Unmarshal(data []byte, dst any) error {
	return o.config().unmarshal(TypeEmbeddedDocument, data, dst)
}

// UnmarshalValue is RawValue.Unmarshal with the options o.
func (o Options) UnmarshalValue(v RawValue, dst any) error {
	return o.config().unmarshalValue(v, dst)
}

func (cfg *config) unmarshal(t Type, data []byte, dst any) error {
	if err := explainFrame(data); err != nil {
		return &DecodeError{Err: err}
	}
	d := decoder{config: cfg, textSize: min(len(data), maxTextSize)}
	return d.top(t, data, dst, 0)
}

func (cfg *config) unmarshalValue(v RawValue, dst any) error {
	if valueLen(v.Type, v.Value) != len(v.Value) {
		return &DecodeError{Type: v.Type, Err: explainLen(v.Type, v.Value)}
	}
	d := decoder{config: cfg, textSize: min(len(v.Value), maxTextSize)}
	return d.top(v.Type, v.Value, dst, 0)
}
