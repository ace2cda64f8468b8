package motor

import (
	"context"

	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// RunCursorCommandOptions are the options of RunCursorCommand.
type RunCursorCommandOptions struct {
	// ReadPreference selects the server; nil is primary. That of the client is
	// not inherited.
	ReadPreference *ReadPreference
	// CursorType says what cursor the command opens, for the timeout to be that
	// of such a cursor. The command itself must say so, too.
	CursorType  CursorType
	TimeoutMode TimeoutMode
}

// RunCursorCommand sends a command as it stands, as RunCommand does, and returns
// the cursor that it is answered with; its documents are decoded into R. The
// cursor's SetBatchSize, SetMaxAwaitTime and SetComment say how it asks for
// more. What RunCommand says about maxTimeMS holds here, too.
func RunCursorCommand[R any](ctx context.Context, d *Database, command any, opts ...RunCursorCommandOptions) (*Cursor[R], error) {
	o, e := option.Of(opts), &encoder{codec: d.settings.codec}
	cmd := &ops.Generic{Body: e.command(command), Custom: true}
	if e.err != nil {
		return nil, e.err
	}
	var err error
	if cmd.Envelope, err = d.envelope(ctx, d.settings.plain()); err != nil {
		return nil, err
	}
	if err := readFrom(&cmd.Envelope, o.ReadPreference); err != nil {
		return nil, err
	}
	var co ops.CursorOptions
	if err := o.TimeoutMode.bound(o.CursorType, &cmd.Timeout, &co); err != nil {
		return nil, err
	}
	return open[R](ctx, d, e, cmd, co)
}

// SetComment sets the comment of the commands getMore to come. Servers before
// 4.4 do not take one.
func (c *Cursor[T]) SetComment(comment any) error {
	if c.inner == nil {
		return errNotConnected
	}
	e := &encoder{codec: c.codec}
	v := e.value("comment", comment)
	if e.err == nil {
		c.inner.SetComment(v)
	}
	return e.err
}
