package main

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// chatter are the fields of commands and replies that go with every one of
// them. They are left out unless all is to be seen.
var chatter = map[string]bool{
	"$db": true, "$clusterTime": true, "operationTime": true, "electionId": true, "opTime": true, "signature": true,
	"ordered": true, "lsid": true, "topologyVersion": true,
}

// text is a command or reply as one line.
func text(doc bson.Raw, all bool) string {
	if !all {
		short, at := bson.BeginDocument(nil)
		for key, v := range doc.All() {
			if !chatter[key] {
				short = bson.AppendValue(short, key, v)
			}
		}
		doc = bson.EndDocument(short, at)
	}
	const most = 300
	s := doc.String()
	if !all && len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + " …"
	}
	return s
}
