package mongod

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
)

// failPoints are the fail points of a server, by name.
type failPoints struct {
	mu     sync.Mutex
	points map[string]*failPoint
	random func() float64
}

// failPoint is one place where the server can be made to fail.
type failPoint struct {
	mode  failMode
	count int64 // of times left, or of skips
	prob  float64
	data  bson.Raw
	hits  int64
	set   func(on bool) // told of changes, where something must be done at once
}

type failMode int

const (
	failOff failMode = iota
	failAlways
	failTimes
	failSkip
	failRandom
)

// failPointNames are the fail points that do something, and those that drivers'
// tests set without need here.
var failPointNames = []string{
	"failCommand", "onPrimaryTransactionalWrite", "failGetMoreAfterCursorCheckout", "rsSyncApplyStop",
	"stopReplProducer", "blockHeartbeatStepdown", "waitInHello", "waitInIsMaster", "shutdownAtStartup",
	"waitAfterCommandFinishes", "waitInFindBeforeMakingBatch", "maxTimeAlwaysTimeOut", "maxTimeNeverTimeOut",
	"disableMaxSyncSourceLagSecs", "hangAfterCollectionInserts", "forgetTransactionTable",
}

func (f *failPoints) init(s *Server) {
	f.random = s.random
	f.points = map[string]*failPoint{}
	for _, name := range failPointNames {
		f.points[name] = &failPoint{}
	}
	if s.Mongos {
		for _, name := range []string{"onPrimaryTransactionalWrite", "rsSyncApplyStop", "stopReplProducer", "blockHeartbeatStepdown"} {
			delete(f.points, name)
		}
	}
	if s.Member != nil {
		f.points["rsSyncApplyStop"].set = s.Member.Pause
		f.points["stopReplProducer"].set = s.Member.Pause
	}
}

// hit reports whether the fail point strikes now, and its data. match may say
// that this is not what it waits for, which does not count.
func (f *failPoints) hit(name string, match func(data bson.Raw) bool) (data bson.Raw, hit bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.points[name]
	if p.mode == failOff || match != nil && !match(p.data) {
		return nil, false
	}
	switch p.mode {
	case failTimes:
		if p.count--; p.count == 0 {
			p.mode = failOff
		}
	case failSkip:
		if p.count > 0 {
			p.count--
			return nil, false
		}
	case failRandom:
		if f.random() >= p.prob {
			return nil, false
		}
	}
	p.hits++
	return p.data, true
}

// configureFailPoint sets a fail point: {configureFailPoint, mode, data}.
func configureFailPoint(r *request) (*doc, error) {
	name, _ := r.first().Str()
	f := &r.server.failPoints
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.points[name]
	if p == nil {
		return nil, errorf(codeFailPointSetFailed, "%s not found", name)
	}
	next, err := parseFailPoint(r.field("mode"), r.field("data"))
	if err != nil {
		return nil, err
	}
	reply := newDoc().int32("count", int32(p.hits))
	next.hits, next.set = p.hits, p.set
	*p = *next
	if p.set != nil {
		p.set(p.mode != failOff)
	}
	return reply, nil
}

func parseFailPoint(mode, data bson.RawValue) (*failPoint, error) {
	p := &failPoint{}
	switch {
	case mode.IsZero():
		return nil, errorf(codeIllegalOperation, "When setting a failpoint, you must supply a 'mode'")
	case mode.Type == bson.TypeString:
		switch s, _ := mode.Str(); s {
		case "off":
		case "alwaysOn":
			p.mode = failAlways
		default:
			return nil, errorf(codeBadValue, "unknown mode: %s", s)
		}
	case mode.Type == bson.TypeEmbeddedDocument:
		if err := p.parseMode(bson.Raw(mode.Value)); err != nil {
			return nil, err
		}
	default:
		return nil, errorf(codeTypeMismatch, "'mode' must be a string or JSON object")
	}
	if !data.IsZero() {
		d, ok := data.Document()
		if !ok {
			return nil, errorf(codeTypeMismatch, "the 'data' option must be a JSON object")
		}
		p.data = d
	}
	return p, nil
}

func (p *failPoint) parseMode(mode bson.Raw) error {
	for name, v := range mode.All() {
		switch name {
		case "times", "skip":
			if !v.IsNumber() {
				return errorf(codeTypeMismatch, "Expected field %q to have numeric type, but found %s", name, query.TypeName(v.Type))
			}
			if p.count = whole(v); p.count < 0 {
				return errorf(codeBadValue, "'%s' option to 'mode' must be positive", name)
			}
			p.mode = failSkip
			if name == "times" {
				p.mode = failTimes
				if p.count == 0 {
					p.mode = failOff
				}
			}
			return nil
		case "activationProbability":
			p.mode = failRandom
			p.prob, _ = v.AsDouble()
			return nil
		}
	}
	return errorf(codeBadValue, "'mode' must be one of 'off', 'alwaysOn', '{times:n}', '{skip:n}' or '{activationProbability:p}'")
}

// failure is what the fail point failCommand does to one command.
type failure struct {
	writeConcernError bson.Raw
	labels            []string // nil if it says nothing about them
}

// failCommand lets the fail point strike a command: it may end the connection,
// wait, or answer with an error. What is left for the reply comes back.
func (r *request) failCommand() (f failure, err error) {
	data, hit := r.server.failPoints.hit("failCommand", r.matchFailCommand)
	if !hit {
		return f, nil
	}
	if labels, ok := data.Lookup("errorLabels").Array(); ok {
		f.labels = []string{}
		for v := range labels.Values() {
			s, _ := v.Str()
			f.labels = append(f.labels, s)
		}
	}
	if block, _ := data.Lookup("blockConnection").Bool(); block {
		ms := whole(data.Lookup("blockTimeMS"))
		if err := r.sleep(time.Duration(ms) * time.Millisecond); err != nil {
			return f, err
		}
	}
	if hangUp, _ := data.Lookup("closeConnection").Bool(); hangUp {
		return f, errHangUp
	}
	if code := data.Lookup("errorCode"); code.IsNumber() {
		return f, r.failWith(int32(whole(code)), "Failing command due to 'failCommand' failpoint", f.labels, data)
	}
	f.writeConcernError, _ = data.Lookup("writeConcernError").Document()
	return f, nil
}

// failWith is the error of a fail point. Some codes cannot be had without
// details that a fail point does not give.
func (r *request) failWith(code int32, message string, labels []string, data bson.Raw) error {
	if name := query.CodeName(code, r.server.Version.Version); needsDetails(code) {
		return errorf(40671, "Missing required extra info for error code %s", name)
	}
	e := &Error{Code: code, Message: message, Labels: labels}
	if extra, ok := data.Lookup("errorExtraInfo").Document(); ok {
		e.More = newDoc().fields(extra)
	}
	return e
}

func needsDetails(code int32) bool {
	switch code {
	case 11000, 13388, 227, 249, 96:
		return code != 96 && code != 227
	}
	return false
}

func (r *request) matchFailCommand(data bson.Raw) bool {
	if r.command.name == "configureFailPoint" || r.unreachableByFailPoint(data) {
		return false
	}
	commands, ok := data.Lookup("failCommands").Array()
	if !ok {
		return false
	}
	for v := range commands.Values() {
		if s, _ := v.Str(); s == r.name || s == r.command.name || slices.Contains(r.command.aliases, s) {
			return true
		}
	}
	return false
}

// unreachableByFailPoint reports whether data has a condition that r does not
// fulfil.
func (r *request) unreachableByFailPoint(data bson.Raw) bool {
	if v := data.Lookup("threadName"); !v.IsZero() {
		return true // threads have no names here
	}
	if v, ok := data.Lookup("appName").Str(); ok && v != r.appName() {
		return true
	}
	if v, ok := data.Lookup("namespace").Str(); ok {
		coll, _ := r.first().Str()
		return v != r.db+"."+coll
	}
	return false
}

// appName is the name of the application that the request comes from. Newer
// servers look at it before they answer the first hello.
func (r *request) appName() string {
	if r.conn.appName == "" && r.atLeast(4, 9) {
		name, _ := r.body.Lookup("client", "application", "name").Str()
		return name
	}
	return r.conn.appName
}

// sleep waits, unless the request ends before.
func (r *request) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	err := r.patiently(func(ctx context.Context) error {
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err != nil {
		return r.interrupted(err)
	}
	return nil
}
