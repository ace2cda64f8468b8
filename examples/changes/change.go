package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// change is a change event as the page shows it. Values are text, in Extended
// JSON.
type change struct {
	Token  string    `json:"-"`
	Op     string    `json:"op"`
	Key    string    `json:"key,omitempty"`
	Time   time.Time `json:"time"`
	Fields []field   `json:"fields,omitempty"`
	// More counts the fields that were left out.
	More int `json:"more,omitempty"`
}

// field is one that the change has set, or removed.
type field struct {
	Name    string `json:"name"`
	Value   string `json:"value,omitempty"`
	Removed bool   `json:"removed,omitempty"`
}

// A glance takes in so much: fields of a change, and bytes of a value.
const (
	mostFields = 40
	mostText   = 400
)

// describe makes a change of an event.
func describe(e *motor.ChangeEvent[bson.Raw]) change {
	c := change{Token: encodeToken(e.ID), Op: e.OperationType, Key: key(e.DocumentKey), Time: e.WallTime}
	if c.Time.IsZero() {
		c.Time = time.Unix(int64(e.ClusterTime.T), 0) // before MongoDB 6.0
	}
	if e.FullDocument != nil {
		for name, v := range e.FullDocument.All() {
			if name != "_id" {
				c.set(name, v.String())
			}
		}
	}
	if u := e.UpdateDescription; u != nil {
		for name, v := range u.UpdatedFields.All() {
			c.set(name, v.String())
		}
		for _, a := range u.TruncatedArrays {
			c.set(a.Field, fmt.Sprintf("… cut to a length of %d", a.NewSize))
		}
		for _, name := range u.RemovedFields {
			c.add(field{Name: short(name), Removed: true})
		}
	}
	if e.To != nil {
		c.set("to", e.To.DB+"."+e.To.Coll)
	}
	return c
}

func (c *change) set(name, value string) { c.add(field{Name: short(name), Value: short(value)}) }

func (c *change) add(f field) {
	if len(c.Fields) == mostFields {
		c.More++
		return
	}
	c.Fields = append(c.Fields, f)
}

// key is a document key as text: its _id, or all of it if there is a shard key.
func key(k bson.Raw) string {
	switch k.Len() {
	case 0:
		return ""
	case 1:
		return short(k.Lookup("_id").String())
	}
	return short(k.String())
}

// short cuts text where a glance ends.
func short(text string) string {
	if len(text) <= mostText {
		return text
	}
	cut := mostText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.Clone(text[:cut]) + "…"
}

// encodeToken is a resume token for a URL.
func encodeToken(token bson.Raw) string { return base64.RawURLEncoding.EncodeToString(token) }

var errBadToken = errors.New("this is no resume token")

// decodeToken is the resume token that a page sends, nil if it has none.
func decodeToken(text string) (bson.Raw, error) {
	if text == "" {
		return nil, nil
	}
	token, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || bson.Raw(token).Validate() != nil || bson.Raw(token).Lookup("_data").IsZero() {
		return nil, errBadToken
	}
	return token, nil
}
