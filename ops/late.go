package ops

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology"
)

// lateKillTimeout bounds the attempt to kill a cursor that nobody asks for.
const lateKillTimeout = 10 * time.Second

// Late takes note of a reply that came when nobody waited for it any more. A
// cursor that it opens is killed: nobody knows of it, and the server would keep
// it for ten minutes.
func (x *Executor) Late(server *topology.Server, reply bson.Raw) {
	cursor, _ := reply.Lookup("cursor").Document()
	id, _ := cursor.Lookup("id").AsInt64()
	ns, _ := cursor.Lookup("ns").Str()
	db, coll, ok := cutNamespace(ns)
	// Who gave up a getMore knows its cursor, and closes it.
	if opened := !cursor.Lookup("firstBatch").IsZero(); id == 0 || !ok || !opened {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lateKillTimeout)
	defer cancel()
	x.Run(ctx, &KillCursors{Envelope: Envelope{DB: db, Server: server}, Collection: coll, Cursor: id})
}
