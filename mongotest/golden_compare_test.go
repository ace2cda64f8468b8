package mongotest_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// comparison compares a reply with the one that was recorded.
type comparison struct {
	vars      map[string]bson.RawValue
	unordered []string
	diffs     []string
}

func (c *comparison) differ(path, format string, args ...any) {
	c.diffs = append(c.diffs, path+": "+fmt.Sprintf(format, args...))
}

// envelope are the documents of the protocol, in which the order of fields has
// no meaning.
var envelope = regexp.MustCompile(`^(|cursor|lastErrorObject|writeErrors\.\d+|writeConcernError|writeConcernError\.errInfo|` +
	`upserted\.\d+|topologyVersion|lastWrite|lastWrite\.\w+|electionMetrics|databases\.\d+)$`)

// meaningful are the top-level fields that a reply must not have beside those
// that were recorded.
var meaningful = []string{"code", "codeName", "errorLabels", "writeErrors", "writeConcernError", "upserted", "nModified", "cursor", "value", "lastErrorObject"}

var message = regexp.MustCompile(`(^|writeErrors\.\d+\.|writeConcernError\.|^raw\.[^.]+\.)(errmsg|note)$`)

func (c *comparison) value(path string, want, got bson.RawValue) {
	if d, ok := want.Document(); ok && d.Len() == 1 {
		for key, v := range d.All() {
			name, _ := v.Str()
			switch key {
			case "$any":
				if !anyOf(name, got) {
					c.differ(path, "want any %s, got %s", name, showValue(got))
				}
				return
			case "$sessionId":
				name = "session:" + name
				fallthrough
			case "$var":
				if known := c.vars[name]; !same(known, got) {
					c.differ(path, "want the value of %s (%s), got %s", name, showValue(known), showValue(got))
				}
				return
			}
		}
	}
	if message.MatchString(path) && want.Type == bson.TypeString && got.Type == bson.TypeString {
		return
	}
	switch {
	case want.Type != got.Type:
		c.differ(path, "want %s, got %s", showValue(want), showValue(got))
	case want.Type == bson.TypeEmbeddedDocument:
		c.document(path, bson.Raw(want.Value), bson.Raw(got.Value))
	case want.Type == bson.TypeArray:
		c.array(path, slices.Collect(bson.RawArray(want.Value).Values()), slices.Collect(bson.RawArray(got.Value).Values()))
	case want.Type == bson.TypeDouble:
		a, _ := want.Double()
		b, _ := got.Double()
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) && math.Abs(a-b) > 1e-13*max(math.Abs(a), math.Abs(b)) {
			c.differ(path, "want %v, got %v", a, b)
		}
	case !same(want, got):
		c.differ(path, "want %s, got %s", showValue(want), showValue(got))
	}
}

func (c *comparison) document(path string, want, got bson.Raw) {
	prefix := path
	if prefix != "" {
		prefix += "."
	}
	var wantNames, gotNames []string
	for name, v := range want.All() {
		g := got.Lookup(name)
		if g.IsZero() {
			c.differ(prefix+name, "missing, want %s", showValue(v))
			continue
		}
		wantNames = append(wantNames, name)
		c.value(prefix+name, v, g)
	}
	for name, v := range got.All() {
		if !want.Lookup(name).IsZero() {
			gotNames = append(gotNames, name)
		} else if path != "" || slices.Contains(meaningful, name) {
			c.differ(prefix+name, "not recorded: %s", showValue(v))
		}
	}
	if !slices.Equal(wantNames, gotNames) && !envelope.MatchString(path) {
		c.differ(path, "want the fields in the order %v, got %v", wantNames, gotNames)
	}
}

func (c *comparison) array(path string, want, got []bson.RawValue) {
	if len(want) != len(got) {
		c.differ(path, "want %d elements, got %d: %s", len(want), len(got), showValues(got))
		return
	}
	ordered := !slices.Contains(c.unordered, path)
	for i, w := range want {
		if ordered {
			c.value(fmt.Sprintf("%s.%d", path, i), w, got[i])
			continue
		}
		at := slices.IndexFunc(got, func(g bson.RawValue) bool {
			try := comparison{vars: c.vars, unordered: c.unordered}
			try.value(fmt.Sprintf("%s.%d", path, i), w, g)
			return len(try.diffs) == 0
		})
		if at < 0 {
			c.differ(path, "no element like %s among %s", showValue(w), showValues(got))
			return
		}
		got = slices.Delete(slices.Clone(got), at, at+1)
	}
}

// anyOf reports whether a value is of what a wildcard stands for.
func anyOf(kind string, v bson.RawValue) bool {
	binary, isBinary := v.Binary()
	d, isDoc := v.Document()
	switch kind {
	case "timestamp":
		return v.Type == bson.TypeTimestamp
	case "cursorId":
		n, ok := v.Int64()
		return ok && n != 0
	case "objectId":
		return v.Type == bson.TypeObjectID
	case "date":
		return v.Type == bson.TypeDateTime
	case "uuid":
		return isBinary && binary.Subtype == bson.BinaryUUID
	case "bindata":
		return isBinary
	case "resumeToken":
		data, ok := d.Lookup("_data").Str()
		return isDoc && ok && data != ""
	case "number":
		return v.IsNumber()
	case "int":
		return v.Type == bson.TypeInt32
	case "long":
		return v.Type == bson.TypeInt64
	case "double":
		return v.Type == bson.TypeDouble
	case "string":
		return v.Type == bson.TypeString
	case "bool":
		return v.Type == bson.TypeBoolean
	case "array":
		return v.Type == bson.TypeArray
	case "document":
		return isDoc
	case "clusterTime":
		return isDoc && d.Lookup("clusterTime").Type == bson.TypeTimestamp && d.Lookup("signature", "hash").Type == bson.TypeBinary &&
			d.Lookup("signature", "keyId").Type == bson.TypeInt64
	case "scramServerFirst":
		return isBinary && strings.HasPrefix(string(binary.Data), "r=") && strings.Contains(string(binary.Data), ",i=")
	case "scramServerFinal":
		return isBinary && strings.HasPrefix(string(binary.Data), "v=")
	}
	return kind == "value"
}

func same(a, b bson.RawValue) bool { return a.Type == b.Type && string(a.Value) == string(b.Value) }

func showValue(v bson.RawValue) string {
	text := show(wrap(v))
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	return text
}

func showValues(list []bson.RawValue) string {
	var texts []string
	for _, v := range list {
		texts = append(texts, showValue(v))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
