package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
	v2 "go.mongodb.org/mongo-driver/v2/bson"
)

// corpus are the documents of the round trips by their names, without _id. A
// collection is named after its document and how many there are of it, such as
// tweet_10000.
type corpus map[string]bson.Raw

// loadCorpus reads the documents tweet, small, large and line.
func loadCorpus(ctx context.Context, d *data) (corpus, error) {
	c := corpus{}
	for name, file := range map[string]string{"tweet": "tweet.json", "small": "small_doc.json", "large": "large_doc.json"} {
		text, err := d.read(ctx, "single_and_multi_document", file)
		if err != nil {
			return nil, err
		}
		if c[name], err = fromJSON(text); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	line, err := d.line(ctx)
	if err != nil {
		return nil, err
	}
	c["line"], err = fromJSON(line)
	return c, err
}

// fromJSON is the BSON of an Extended JSON document.
func fromJSON(text []byte) (bson.Raw, error) {
	var doc v2.D
	if err := v2.UnmarshalExtJSON(text, false, &doc); err != nil {
		return nil, err
	}
	return v2.Marshal(doc)
}

// collection is the document that the collection is named after, and how many
// it holds.
func (c corpus) collection(name string) (doc bson.Raw, n int) {
	of, count, _ := strings.Cut(name, "_")
	n, _ = strconv.Atoi(count)
	return c[of], n
}

// withID is the document with an _id in front.
func withID(id int, doc bson.Raw) bson.Raw {
	out, at := bson.BeginDocument(make([]byte, 0, len(doc)+9))
	out = bson.AppendInt32(out, "_id", int32(id))
	return bson.EndDocument(append(out, doc[4:len(doc)-1]...), at)
}

// line is one line of the LDJSON files, which all are the same.
func (d *data) line(ctx context.Context) ([]byte, error) {
	if d.specs == "" {
		// The module does not carry them. A tweet is what they hold, too.
		text, err := d.read(ctx, "single_and_multi_document", "tweet.json")
		return bytes.TrimSpace(text), err
	}
	text, err := d.read(ctx, "parallel", "ldjson000.txt")
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line, err
}
