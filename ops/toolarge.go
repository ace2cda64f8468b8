package ops

import (
	"fmt"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// documentRoom is what a statement or command may hold beside a document of
// maxBsonObjectSize.
const documentRoom = 16 << 10

// statementLimit is how large a statement of the kind may be. Those of inserts
// are the documents that are stored.
func (k BulkKind) statementLimit(maxBSONObjectSize int) int {
	if k == BulkInsert {
		return maxBSONObjectSize
	}
	return maxBSONObjectSize + documentRoom
}

// tooLarge is the error of a statement that is not sent, because servers refuse
// a whole command, with the statements beside it, for one that is far too large.
// It has their code for that.
func tooLarge(index int, namespace string, size, limit int) *WriteError {
	return &WriteError{
		Index: index, Namespace: namespace,
		Code: wire.BSONObjectTooLarge, Name: "BSONObjectTooLarge",
		Message: fmt.Sprintf("it is %d bytes long; the limit is %d", size, limit),
	}
}

// checkSize refuses a write whose only statement is too large. Where there are
// several, split has looked at each.
func checkSize(cmd Command, to *description.Server) error {
	var kind BulkKind
	var statements []byte
	switch w := cmd.(type) {
	case *Insert:
		kind, statements = BulkInsert, w.Docs
	case *Update:
		kind, statements = BulkUpdate, w.Updates
	case *Delete:
		kind, statements = BulkDelete, w.Deletes
	}
	limit := kind.statementLimit(int(to.MaxBSONObjectSize))
	if len(statements) <= limit {
		return nil
	}
	if _, rest, err := bson.ReadDocument(statements); err != nil || len(rest) > 0 {
		return nil
	}
	return tooLarge(0, namespace(cmd), len(statements), limit)
}
