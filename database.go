package motor

import (
	"context"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/session"
)

// Database is a database of a deployment. It holds no connection and may be
// used by many goroutines.
type Database struct {
	client   *Client
	name     string
	settings settings
}

// Name is the database's name.
func (d *Database) Name() string { return d.name }

// Client is the client that the database belongs to.
func (d *Database) Client() *Client { return d.client }

// BSON is how the database's values are encoded and decoded.
func (d *Database) BSON() bson.Options { return d.settings.codec }

// With is the same database with other settings.
func (d *Database) With(s Settings) *Database {
	return &Database{client: d.client, name: d.name, settings: d.settings.with(s)}
}

// Collection is the collection name with documents of type bson.D. CollectionOf
// gives documents of another type.
func (d *Database) Collection(name string, opts ...Settings) *Collection[bson.D] {
	return CollectionOf[bson.D](d, name, opts...)
}

// ready is an error if no operation can begin.
func (d *Database) ready(ctx context.Context) error {
	if d == nil {
		return errNotConnected
	}
	return d.client.ready(ctx)
}

// envelope is that of a command on the database.
func (d *Database) envelope(ctx context.Context, s settings) (ops.Envelope, error) {
	if d == nil {
		return ops.Envelope{}, errNotConnected
	}
	return d.client.envelope(ctx, d.name, s)
}

// RunCommandOptions are the options of RunCommand.
type RunCommandOptions struct {
	// ReadPreference selects the server; nil is primary. That of the client is
	// not inherited.
	ReadPreference *ReadPreference
}

// RunCommand sends a command as it stands and returns the whole reply. It is
// sent with the session of ctx and without read and write concern, unless the
// command itself has them. The command must be ordered, its name first. It is
// not retried, except against an overloaded server.
//
// If timeoutMS is set, maxTimeMS is added to the command. A command that has one
// already is then refused by the server as a command with a field that stands
// twice.
func (d *Database) RunCommand(ctx context.Context, command any, opts ...RunCommandOptions) (bson.Raw, error) {
	e := newEncoder(d.settings.codec)
	defer e.release()
	cmd := &ops.Generic{Body: e.command(command), Custom: true}
	if e.err != nil {
		return nil, e.err
	}
	var err error
	if cmd.Envelope, err = d.envelope(ctx, d.settings.plain()); err != nil {
		return nil, err
	}
	if err := readFrom(&cmd.Envelope, option.Of(opts).ReadPreference); err != nil {
		return nil, err
	}
	res, err := d.client.exec.Run(ctx, cmd)
	return res.Reply, err
}

// readFrom sets the read preference that is asked for, if it is. A transaction
// reads from the primary.
func readFrom(env *ops.Envelope, pref *ReadPreference) error {
	if pref == nil {
		return nil
	}
	if env.Session != nil && env.Session.Transaction.InProgress() && pref.Mode != Primary {
		return session.ErrTransactionReadPrimary
	}
	env.ReadPreference = *pref
	return nil
}

// manage runs a command that needs the primary and takes the write concern.
func (d *Database) manage(ctx context.Context, cmd *ops.Generic) (bson.Raw, error) {
	env, err := d.envelope(ctx, d.settings)
	if err != nil {
		return nil, err
	}
	env.ReadConcern, env.ReadPreference, env.MaxTime = ReadConcern{}, ReadPreference{}, cmd.MaxTime
	cmd.Envelope, cmd.Write = env, true
	res, err := d.client.exec.Run(ctx, cmd)
	return res.Reply, err
}

// Drop drops the database with all its collections.
func (d *Database) Drop(ctx context.Context) error {
	body, at := bson.BeginDocument(nil)
	_, err := d.manage(ctx, &ops.Generic{Body: bson.EndDocument(bson.AppendInt32(body, "dropDatabase", 1), at)})
	return err
}
