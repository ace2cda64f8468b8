package bson

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Options change how Go values become BSON and back. The zero value is what
// the functions Marshal, Unmarshal and so on do. Its methods are those
// functions with the options applied.
type Options struct {
	// UseJSONStructTags makes a struct field without a bson tag go by its json
	// tag.
	UseJSONStructTags bool
	// ErrorOnInlineDuplicates refuses a struct in which an inlined field and
	// an outer one have the same key. By default the outer one wins.
	ErrorOnInlineDuplicates bool

	// IntMinSize writes every integer as an int32 if it fits, as the tag
	// minsize does for one field.
	IntMinSize bool
	// NilMapAsEmpty writes a nil map as an empty document instead of null.
	NilMapAsEmpty bool
	// NilSliceAsEmpty writes a nil slice as an empty array instead of null.
	NilSliceAsEmpty bool
	// NilByteSliceAsEmpty writes a nil []byte as an empty binary instead of
	// null.
	NilByteSliceAsEmpty bool
	// OmitZeroStruct counts a struct with nothing but empty exported fields as
	// empty, for OmitEmpty and the tag omitempty.
	OmitZeroStruct bool
	// OmitEmpty leaves out empty struct fields, as the tag omitempty does for
	// one field.
	OmitEmpty bool
	// StringifyMapKeysWithFmt writes map keys as fmt.Sprint shows them.
	StringifyMapKeysWithFmt bool

	// AllowTruncatingDoubles cuts off the fraction of a double that is decoded
	// into an integer, and the precision of one decoded into a float32, as the
	// tag truncate does for one field. By default that is an error.
	AllowTruncatingDoubles bool
	// BinaryAsSlice decodes generic binaries into []byte where the Go type is
	// any.
	BinaryAsSlice bool
	// DefaultDocumentM decodes documents into M where the Go type is any.
	DefaultDocumentM bool
	// DefaultDocumentMap decodes documents into map[string]any where the Go
	// type is any.
	DefaultDocumentMap bool
	// ObjectIDAsHexString lets an ObjectID be decoded into a string, as its 24
	// hexadecimal digits.
	ObjectIDAsHexString bool
	// ReplaceInvalidUTF8 decodes strings, keys and other text that are not valid
	// UTF-8, each run of wrong bytes as one U+FFFD. By default they are an error.
	// A Raw, a RawArray and a RawValue are as they came either way.
	ReplaceInvalidUTF8 bool
	// UUIDs is the representation whose binaries become a UUID where the Go
	// type is any. By default they become a Binary like all others. Arrays of
	// 16 bytes take such binaries too, and always those of UUIDStandard.
	UUIDs UUIDRepresentation
	// UseLocalTimeZone decodes a time.Time into the local time zone instead of
	// UTC.
	UseLocalTimeZone bool
	// ZeroMaps empties maps before it decodes into them. By default what they
	// hold stays if the document does not replace it.
	ZeroMaps bool
	// ZeroStructs zeroes structs before it decodes into them.
	ZeroStructs bool

	// Registry holds codecs for types that have no hooks of their own, nil if
	// there are none.
	Registry *Registry
}

// config is Options made ready to work with. It never changes.
type config struct {
	Options
	codecs *codecs
	// minSize and truncate are the same with IntMinSize or
	// AllowTruncatingDoubles, for the fields whose tags ask for it.
	minSize, truncate *config
}

// defaultConfig is the zero Options.
var defaultConfig = newConfig(Options{}, new(codecs))

// configs are the configs in use, by their Options without a Registry. The map
// is replaced, not changed.
type configs struct {
	mu     sync.Mutex
	made   atomic.Pointer[map[Options]*config]
	codecs [8]codecs
}

var plainConfigs configs

// config is o made ready.
func (o Options) config() *config {
	if o == (Options{}) {
		return defaultConfig
	}
	cs := &plainConfigs
	if o.Registry != nil {
		cs = &o.Registry.configs
	}
	if made := cs.made.Load(); made != nil {
		if c, ok := (*made)[o]; ok {
			return c
		}
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	made := map[Options]*config{}
	if old := cs.made.Load(); old != nil {
		maps.Copy(made, *old)
	}
	i := 0
	if o.UseJSONStructTags {
		i |= 1
	}
	if o.ErrorOnInlineDuplicates {
		i |= 2
	}
	if o.OmitEmpty {
		i |= 4
	}
	made[o] = newConfig(o, &cs.codecs[i])
	cs.made.Store(&made)
	return made[o]
}

func newConfig(o Options, cs *codecs) *config {
	c := &config{Options: o, codecs: cs}
	c.minSize, c.truncate = c, c
	if !o.IntMinSize {
		o := o
		o.IntMinSize = true
		c.minSize = newConfig(o, cs)
	}
	if !o.AllowTruncatingDoubles {
		o := o
		o.AllowTruncatingDoubles = true
		c.truncate = newConfig(o, cs)
	}
	return c
}
