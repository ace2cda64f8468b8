package mongod

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// doc is a document in the making: its methods add fields in order.
type doc struct{ b []byte }

func newDoc() *doc { return &doc{make([]byte, 4, 128)} }

// raw is the whole document. Nothing may be added after it.
func (d *doc) raw() bson.Raw { return bson.EndDocument(d.b, 0) }

func (d *doc) value(key string, v bson.RawValue) *doc {
	d.b = bson.AppendValue(d.b, key, v)
	return d
}

func (d *doc) int32(key string, i int32) *doc {
	d.b = bson.AppendInt32(d.b, key, i)
	return d
}

func (d *doc) int64(key string, i int64) *doc {
	d.b = bson.AppendInt64(d.b, key, i)
	return d
}

// number is i as an int if it fits, as a long otherwise.
func (d *doc) number(key string, i int64) *doc {
	if i == int64(int32(i)) {
		return d.int32(key, int32(i))
	}
	return d.int64(key, i)
}

func (d *doc) double(key string, f float64) *doc {
	d.b = bson.AppendDouble(d.b, key, f)
	return d
}

func (d *doc) str(key, s string) *doc {
	d.b = bson.AppendString(d.b, key, s)
	return d
}

func (d *doc) bool(key string, b bool) *doc {
	d.b = bson.AppendBool(d.b, key, b)
	return d
}

func (d *doc) null(key string) *doc {
	d.b = bson.AppendNull(d.b, key)
	return d
}

func (d *doc) date(key string, t time.Time) *doc {
	d.b = bson.AppendDateTime(d.b, key, bson.NewDateTime(t))
	return d
}

func (d *doc) timestamp(key string, t bson.Timestamp) *doc {
	d.b = bson.AppendTimestamp(d.b, key, t)
	return d
}

func (d *doc) opTime(key string, o storage.OpTime) *doc {
	d.b = o.AppendTo(d.b, key)
	return d
}

func (d *doc) objectID(key string, id bson.ObjectID) *doc {
	d.b = bson.AppendObjectID(d.b, key, id)
	return d
}

func (d *doc) binary(key string, b bson.Binary) *doc {
	d.b = bson.AppendBinary(d.b, key, b)
	return d
}

func (d *doc) doc(key string, v bson.Raw) *doc {
	d.b = bson.AppendDocument(d.b, key, v)
	return d
}

func (d *doc) array(key string, v bson.RawArray) *doc {
	d.b = bson.AppendArray(d.b, key, v)
	return d
}

// embed adds a document that fill fills.
func (d *doc) embed(key string, fill func(*doc)) *doc {
	b, at := bson.BeginEmbedded(d.b, key)
	inner := &doc{b}
	fill(inner)
	d.b = bson.EndDocument(inner.b, at)
	return d
}

func (d *doc) docs(key string, docs []bson.Raw) *doc {
	b, at := bson.BeginArray(d.b, key)
	for i, v := range docs {
		b = append(bson.AppendIndexHeader(b, bson.TypeEmbeddedDocument, i), v...)
	}
	d.b = bson.EndDocument(b, at)
	return d
}

func (d *doc) strings(key string, list []string) *doc {
	b, at := bson.BeginArray(d.b, key)
	for i, s := range list {
		b = bson.AppendStringValue(bson.AppendIndexHeader(b, bson.TypeString, i), s)
	}
	d.b = bson.EndDocument(b, at)
	return d
}

func (d *doc) values(key string, list []bson.RawValue) *doc {
	b, at := bson.BeginArray(d.b, key)
	for i, v := range list {
		b = append(bson.AppendIndexHeader(b, v.Type, i), v.Value...)
	}
	d.b = bson.EndDocument(b, at)
	return d
}

// fields adds all fields of another document.
func (d *doc) fields(v bson.Raw) *doc {
	d.b = append(d.b, v[4:len(v)-1]...)
	return d
}
