package ops

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// MapReduce is the command mapReduce with inline results.
type MapReduce struct {
	Envelope
	Collection  string
	Map, Reduce bson.JavaScript
}

func (*MapReduce) traits() traits { return traits{name: "mapReduce", readConcern: true} }

func (m *MapReduce) appendFields(dst []byte, _ *description.Server) []byte {
	dst = bson.AppendString(dst, "mapReduce", m.Collection)
	dst = bson.AppendValue(dst, "map", javaScript(m.Map))
	dst = bson.AppendValue(dst, "reduce", javaScript(m.Reduce))
	dst, at := bson.BeginEmbedded(dst, "out")
	return bson.EndDocument(bson.AppendInt32(dst, "inline", 1), at)
}

func javaScript(code bson.JavaScript) bson.RawValue {
	return bson.RawValue{Type: bson.TypeJavaScript, Value: bson.AppendStringValue(nil, string(code))}
}
