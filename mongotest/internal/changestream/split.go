package changestream

import (
	"github.com/motor-go/motor/bson"
)

// Split cuts an event that is larger than limit into parts, each with some of
// its fields and the field splitEvent {fragment, of}. A smaller one is given
// whole. If the stream was resumed behind one of the parts, those until then
// are left out.
func Split(event bson.Raw, limit int, from *Position) []bson.Raw {
	if len(event) <= limit {
		return []bson.Raw{event}
	}
	const frame = 16 << 10 // for _id and splitEvent
	token, _ := event.Lookup("_id").Document()
	var groups [][]byte
	var group []byte
	for name, v := range event.All() {
		if name == "_id" {
			continue
		}
		field := bson.AppendValue(nil, name, v)
		if len(group) > 0 && len(group)+len(field) > limit-frame {
			groups, group = append(groups, group), nil
		}
		group = append(group, field...)
	}
	groups = append(groups, group)
	p, err := ParseToken(token)
	parts := make([]bson.Raw, 0, len(groups))
	for i, fields := range groups {
		if err == nil && from != nil && from.Fragment >= i && from.TS == p.TS && from.Op == p.Op {
			continue
		}
		dst, at := bson.BeginDocument(nil)
		dst = bson.AppendDocument(dst, "_id", fragmentToken(token, i))
		dst, split := bson.BeginEmbedded(dst, "splitEvent")
		dst = bson.AppendInt32(dst, "fragment", int32(i+1))
		dst = bson.AppendInt32(dst, "of", int32(len(groups)))
		dst = bson.EndDocument(dst, split)
		parts = append(parts, bson.EndDocument(append(dst, fields...), at))
	}
	return parts
}

// fragmentToken is the token of a part of the event that has the token.
func fragmentToken(token bson.Raw, fragment int) bson.Raw {
	data, _ := token.Lookup("_data").Str()
	const hexDigits = "0123456789ABCDEF"
	data = data[:len(data)-2] + string([]byte{hexDigits[fragment>>4&15], hexDigits[fragment&15]}) + "05"
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendString(dst, "_data", data), at)
}
