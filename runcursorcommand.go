package motor

import (
	"context"

	"github.com/motor-go/motor/ops"
)

// RunCursorCommand sends a command as it stands, as RunCommand does, and returns
// the cursor that it is answered with; its documents are decoded into R. The
// cursor's SetBatchSize, SetMaxAwaitTime and SetComment say how it asks for
// more. For a tailable cursor the command itself must say so.
func RunCursorCommand[R any](ctx context.Context, d *Database, command any, opts ...RunCommandOptions) (*Cursor[R], error) {
	e := &encoder{codec: d.settings.codec}
	cmd := &ops.Generic{Body: e.doc("command", command), Custom: true}
	var err error
	if cmd.Envelope, err = d.client.envelope(ctx, d.name, settings{}); err != nil {
		return nil, err
	}
	if err := readFrom(&cmd.Envelope, optional(opts).ReadPreference); err != nil {
		return nil, err
	}
	return open[R](ctx, d, e, cmd, ops.CursorOptions{})
}

// SetComment sets the comment of the commands getMore to come. Servers before
// 4.4 do not take one.
func (c *Cursor[T]) SetComment(comment any) error {
	e := &encoder{codec: c.codec}
	v := e.value("comment", comment)
	if e.err == nil {
		c.inner.SetComment(v)
	}
	return e.err
}
