package mongotest_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/wire"
)

// player plays one scenario of the recordings against servers.
type player struct {
	t        *testing.T
	scenario bson.Raw
	// find gives the address of a node by its role.
	find func(role string) string
	// rewrite puts a reply into the form of the recordings.
	rewrite func(reply bson.Raw) bson.Raw
	// differ hears of each step that was not answered as recorded.
	differ func(format string, args ...any)

	vars  map[string]bson.RawValue
	conns map[string]*client
	nodes map[string]string
}

func newPlayer(t *testing.T, scenario bson.Raw) *player {
	return &player{
		t: t, scenario: scenario, vars: map[string]bson.RawValue{}, conns: map[string]*client{}, nodes: map[string]string{},
		rewrite: func(reply bson.Raw) bson.Raw { return reply },
		differ:  t.Errorf,
	}
}

func (p *player) play() {
	for i, v := range steps(p.scenario) {
		reply, flags, err := p.step(v)
		if err != nil {
			p.t.Fatalf("step %d %s: %v", i, showStep(v), err)
		}
		expected := v.Lookup("reply")
		if expected.IsZero() {
			continue
		}
		if _, isDoc := expected.Document(); !isDoc {
			if reply != nil {
				p.differ("step %d %s: want no reply, got %s", i, showStep(v), show(reply))
			}
			continue
		}
		c := comparison{vars: p.vars, unordered: texts(v.Lookup("unordered"))}
		c.document("", bson.Raw(expected.Value), project(reply, texts(v.Lookup("only"))))
		if wanted := flagsOf(v.Lookup("replyFlags")); wanted != flags {
			c.differ("flags", "want %b, got %b", wanted, flags)
		}
		if len(c.diffs) > 0 {
			p.differ("step %d %s:\n  %s", i, showStep(v), strings.Join(c.diffs, "\n  "))
		}
	}
}

func steps(scenario bson.Raw) (list []bson.Raw) {
	steps, _ := scenario.Lookup("steps").Array()
	for v := range steps.Values() {
		d, _ := v.Document()
		list = append(list, d)
	}
	return list
}

func showStep(step bson.Raw) string {
	text := showValue(step.Lookup("command"))
	return text[:min(len(text), 200)]
}

// project leaves only some fields of a reply, and those of an error.
func project(reply bson.Raw, only []string) bson.Raw {
	if len(only) == 0 || !reply.Lookup("$connection").IsZero() {
		return reply
	}
	if !reply.Lookup("code").IsZero() {
		only = append(only, "code", "codeName", "errmsg", "errorLabels")
	}
	b, at := bson.BeginDocument(nil)
	for name, v := range reply.All() {
		if slices.Contains(only, name) {
			b = bson.AppendValue(b, name, v)
		}
	}
	return bson.EndDocument(b, at)
}

// longSleep is from when on a recorded wait is left out: it is for what was left
// of an election, and every scenario has a replica set of its own here.
const longSleep = 1000 * time.Millisecond

// step executes a step and gives the reply, if there is one.
func (p *player) step(v bson.Raw) (bson.Raw, wire.Flags, error) {
	if ms, ok := v.Lookup("sleepMs").AsInt64(); ok {
		if d := time.Duration(ms) * time.Millisecond; d < longSleep {
			time.Sleep(d)
		}
		return nil, 0, nil
	}
	if role, ok := v.Lookup("resolveNode").Str(); ok {
		delete(p.nodes, role)
		p.node(role)
		return nil, 0, nil
	}
	if name, ok := v.Lookup("closeConn").Str(); ok {
		p.drop(p.role(v) + "/" + name)
		return nil, 0, nil
	}
	var all []bson.RawValue
	deadline := time.Now().Add(maxWait)
	for {
		reply, flags, err := p.exchange(v)
		if err != nil || reply == nil {
			return nil, 0, err
		}
		p.capture(v, reply)
		if path, ok := v.Lookup("accumulate", "path").Str(); ok && reply.Lookup("ok").Truthy() {
			got, _ := at(reply, path).Array()
			all = append(all, slices.Collect(got.Values())...)
			if n, _ := v.Lookup("accumulate", "count").AsInt64(); int64(len(all)) >= n || time.Now().After(deadline) {
				return replace(reply, strings.Split(path, "."), array(all)), flags, nil
			}
			continue
		}
		if until, ok := v.Lookup("pollUntil").Document(); ok && !holds(reply, until) && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		return reply, flags, nil
	}
}

// exchange sends the command of a step and reads the reply.
func (p *player) exchange(v bson.Raw) (bson.Raw, wire.Flags, error) {
	name := p.role(v) + "/main"
	if conn, ok := v.Lookup("conn").Str(); ok {
		name = p.role(v) + "/" + conn
	}
	c := p.conns[name]
	if c == nil {
		c = dial(p.t, p.node(p.role(v)))
		p.conns[name] = c
	}
	flags := flagsOf(v.Lookup("flags"))
	if receive, _ := v.Lookup("receive").Bool(); !receive {
		if err := p.send(c, v, flags); err != nil {
			return nil, 0, err
		}
		if noWait, _ := v.Lookup("noWait").Bool(); noWait || flags&wire.MoreToCome != 0 {
			return nil, 0, nil
		}
	}
	reply, replyFlags, err := c.receive()
	if hungUp(err) {
		p.drop(name)
		return parse(p.t, `{"$connection": "closed"}`), 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return p.rewrite(reply), replyFlags, nil
}

func (p *player) send(c *client, v bson.Raw, flags wire.Flags) error {
	d, _ := p.resolve(v.Lookup("command")).Document()
	db, hasDB := v.Lookup("db").Str()
	if query, _ := v.Lookup("opQuery").Bool(); query {
		_, err := c.Write(wire.AppendQuery(nil, wire.NextRequestID(), db, d))
		return err
	}
	if hasDB {
		d = withDB(d, db)
	}
	var seqs []wire.Sequence
	if list, ok := v.Lookup("sequences").Document(); ok {
		for id, docs := range list.All() {
			seq := wire.Sequence{ID: id}
			for e := range bson.RawArray(p.resolve(docs).Value).Values() {
				seq.Docs = append(seq.Docs, e.Value...)
			}
			seqs = append(seqs, seq)
		}
	}
	return c.send(flags, d, seqs...)
}

func (p *player) role(step bson.Raw) string {
	for _, d := range []bson.Raw{step, p.scenario} {
		if role, ok := d.Lookup("node").Str(); ok {
			return role
		}
	}
	return "primary"
}

func (p *player) node(role string) string {
	if p.nodes[role] == "" {
		p.nodes[role] = p.find(role)
	}
	return p.nodes[role]
}

func (p *player) drop(name string) {
	if c := p.conns[name]; c != nil {
		c.Close()
		delete(p.conns, name)
	}
}

func (p *player) capture(step, reply bson.Raw) {
	captures, _ := step.Lookup("capture").Document()
	for name, path := range captures.All() {
		text, _ := path.Str()
		if v := at(reply, text); !v.IsZero() {
			p.vars[name] = v
		}
	}
}

// resolve puts values in place of what stands for them in a command.
func (p *player) resolve(v bson.RawValue) bson.RawValue {
	switch v.Type {
	case bson.TypeArray:
		var out []bson.RawValue
		for e := range bson.RawArray(v.Value).Values() {
			if gen, ok := lookup(e, "$genDocs"); ok {
				out = append(out, generate(bson.Raw(gen.Value))...)
			} else {
				out = append(out, p.resolve(e))
			}
		}
		return array(out)
	case bson.TypeEmbeddedDocument:
		d := bson.Raw(v.Value)
		if d.Len() == 1 {
			for key, x := range d.All() {
				if out, ok := p.standIn(key, x); ok {
					return out
				}
			}
		}
		b, at := bson.BeginDocument(nil)
		for name, x := range d.All() {
			b = bson.AppendValue(b, name, p.resolve(x))
		}
		return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: bson.EndDocument(b, at)}
	}
	return v
}

// standIn is the value that {key: x} stands for, if it does for any.
func (p *player) standIn(key string, x bson.RawValue) (v bson.RawValue, ok bool) {
	name, _ := x.Str()
	d, _ := x.Document()
	switch key {
	case "$var":
		return p.vars[name], true
	case "$sessionId":
		return p.session(name), true
	case "$lsid":
		b, at := bson.BeginDocument(nil)
		b = bson.EndDocument(bson.AppendValue(b, "id", p.session(name)), at)
		return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: b}, true
	case "$genString":
		text, _ := d.Lookup("string").Str()
		times, _ := d.Lookup("times").AsInt64()
		return element(bson.AppendString(nil, "", strings.Repeat(text, int(times)))), true
	case "$tsPlus":
		name, _ := d.Lookup("var").Str()
		ts, _ := p.vars[name].Timestamp()
		seconds, _ := d.Lookup("seconds").AsInt64()
		inc, _ := d.Lookup("inc").AsInt64()
		return element(bson.AppendTimestamp(nil, "", bson.Timestamp{T: ts.T + uint32(seconds), I: ts.I + uint32(inc)})), true
	case "$scram":
		return element(bson.AppendBinary(nil, "", bson.Binary{Data: p.scram(d)})), true
	}
	return v, false
}

// element is the value of one encoded element without a name.
func element(b []byte) bson.RawValue { return bson.RawValue{Type: bson.Type(b[0]), Value: b[2:]} }

func (p *player) session(name string) bson.RawValue {
	key := "session:" + name
	if p.vars[key].IsZero() {
		id := make([]byte, 16)
		rand.Read(id)
		p.vars[key] = element(bson.AppendBinary(nil, "", bson.Binary{Subtype: bson.BinaryUUID, Data: id}))
	}
	return p.vars[key]
}

// scram is the client's final message of a SCRAM conversation.
func (p *player) scram(d bson.Raw) []byte {
	text := func(name string) string { s, _ := d.Lookup(name).Str(); return s }
	_, nonce, _ := strings.Cut(text("clientFirst"), ",r=")
	conversation, err := auth.NewSCRAM(text("mechanism"), text("user"), auth.Secret(text("password")), nonce)
	if err != nil {
		p.t.Fatal(err)
	}
	conversation.Start()
	first, _ := p.vars[text("serverFirst")].Binary()
	final, _, err := conversation.Step(first.Data)
	if err != nil {
		p.t.Fatal(err)
	}
	if good, given := d.Lookup("good").Bool(); given && !good {
		at := strings.Index(string(final), ",p=") + 3
		spoiled := byte('A')
		if final[at] == spoiled {
			spoiled = 'B'
		}
		final[at] = spoiled
	}
	return final
}

// generate makes many documents of one, counting them.
func generate(d bson.Raw) (docs []bson.RawValue) {
	n, _ := d.Lookup("count").AsInt64()
	from, _ := d.Lookup("from").AsInt64()
	for i := range n {
		docs = append(docs, numbered(d.Lookup("doc"), int32(from+i)))
	}
	return docs
}

func numbered(v bson.RawValue, i int32) bson.RawValue {
	d, ok := v.Document()
	if !ok {
		return v
	}
	if !d.Lookup("$genIndex").IsZero() {
		return element(bson.AppendInt32(nil, "", i))
	}
	b, at := bson.BeginDocument(nil)
	for name, x := range d.All() {
		b = bson.AppendValue(b, name, numbered(x, i))
	}
	return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: bson.EndDocument(b, at)}
}

func lookup(v bson.RawValue, name string) (bson.RawValue, bool) {
	d, ok := v.Document()
	found := d.Lookup(name)
	return found, ok && !found.IsZero()
}

func at(d bson.Raw, path string) bson.RawValue { return d.Lookup(strings.Split(path, ".")...) }

// replace is a document with another value at the path.
func replace(d bson.Raw, path []string, v bson.RawValue) bson.Raw {
	b, at := bson.BeginDocument(nil)
	for name, old := range d.All() {
		if name == path[0] {
			if inner, ok := old.Document(); ok && len(path) > 1 {
				old.Value = replace(inner, path[1:], v)
			} else {
				old = v
			}
		}
		b = bson.AppendValue(b, name, old)
	}
	return bson.EndDocument(b, at)
}

func holds(reply, wanted bson.Raw) bool {
	for path, v := range wanted.All() {
		got := at(reply, path)
		if exists, ok := lookup(v, "$exists"); ok {
			if b, _ := exists.Bool(); b != !got.IsZero() {
				return false
			}
		} else if !same(v, got) {
			return false
		}
	}
	return true
}

func array(values []bson.RawValue) bson.RawValue {
	b, at := bson.BeginDocument(nil)
	for i, v := range values {
		b = append(bson.AppendIndexHeader(b, v.Type, i), v.Value...)
	}
	return bson.RawValue{Type: bson.TypeArray, Value: bson.EndDocument(b, at)}
}

func texts(v bson.RawValue) (list []string) {
	arr, _ := v.Array()
	for e := range arr.Values() {
		s, _ := e.Str()
		list = append(list, s)
	}
	return list
}

func flagsOf(v bson.RawValue) (flags wire.Flags) {
	for _, name := range texts(v) {
		switch name {
		case "moreToCome":
			flags |= wire.MoreToCome
		case "exhaustAllowed":
			flags |= wire.ExhaustAllowed
		case "checksumPresent":
			flags |= wire.ChecksumPresent
		default:
			panic(errors.New("unknown flag " + fmt.Sprint(name)))
		}
	}
	return flags
}
