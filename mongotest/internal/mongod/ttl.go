package mongod

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// expireDocuments removes the documents whose time is over by a TTL index.
func (s *Server) expireDocuments(now time.Time) {
	for c := range s.Engine.State().Collections("") {
		for _, ix := range c.Indexes {
			if ix.ExpireAfter >= 0 {
				s.expireCollection(c, ix, now.Add(-time.Duration(ix.ExpireAfter)*time.Second))
			}
		}
	}
}

func (s *Server) expireCollection(c *storage.Collection, ix *storage.Index, limit time.Time) {
	s.Engine.Write(context.Background(), nil, func(tx *storage.Tx) error {
		current := tx.State().Collection(c.NS)
		if current == nil || current.UUID != c.UUID {
			return nil
		}
		var doomed []*storage.Op
		current.Scan(0, false, func(id storage.RecordID, d bson.Raw) bool {
			if expired(d, ix, limit) {
				doomed = append(doomed, &storage.Op{Kind: storage.Delete, NS: c.NS, UUID: c.UUID, Record: id, Before: d, Stmt: storage.NoStmt})
			}
			return true
		})
		for _, op := range doomed {
			if err := tx.Do(op); err != nil {
				return err
			}
		}
		return nil
	})
}

// expired reports whether one of the dates that the index has of a document is
// before the limit.
func expired(d bson.Raw, ix *storage.Index, limit time.Time) bool {
	if ix.Partial != nil {
		if ok, _ := ix.Partial.Match(d); !ok {
			return false
		}
	}
	keys, _ := query.IndexKeys(d, ix.Key, nil)
	for _, k := range keys {
		if t, ok := k.Values[0].Time(); ok && t.Before(limit) {
			return true
		}
	}
	return false
}

// parseTTL reads expireAfterSeconds.
func parseTTL(spec bson.Raw, v bson.RawValue) (int64, error) {
	if !v.IsNumber() {
		return 0, cannotCreate(spec, "TTL index 'expireAfterSeconds' option must be numeric, but received a type of '"+query.TypeName(v.Type)+"'.")
	}
	n := whole(v)
	if n < 0 {
		return 0, errorf(codeCannotCreateIndex, "TTL index 'expireAfterSeconds' option cannot be less than 0. Index spec: %s", query.FormatDocument(spec))
	}
	if n > 1<<31-1 {
		return 0, errorf(codeCannotCreateIndex, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number. Index spec: %s", query.FormatDocument(spec))
	}
	return n, nil
}
