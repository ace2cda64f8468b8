package mongod

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/repl"
)

var errNoReplSet = errorf(codeNoReplicationEnabled, "not running with --replSet")

// replSetGetStatus tells how the members of the set are.
func replSetGetStatus(r *request) (*doc, error) {
	if !r.replicated() {
		return nil, errNoReplSet
	}
	m := r.server.Member
	status := m.Status()
	d := newDoc().str("set", m.Set().Name).date("date", time.Now()).int32("myState", int32(status.Role)).int64("term", status.Term)
	d.int64("heartbeatIntervalMillis", 2000).int32("majorityVoteCount", int32(len(m.Set().Members)/2+1))
	d.embed("optimes", func(d *doc) {
		d.opTime("lastCommittedOpTime", status.Committed).opTime("readConcernMajorityOpTime", status.Committed)
		d.opTime("appliedOpTime", m.Engine.State().At).opTime("durableOpTime", m.Engine.State().At)
	})
	var members []bson.Raw
	for _, o := range m.Set().Members {
		s := o.Status()
		e := newDoc().int32("_id", int32(o.ID)).str("name", o.Host).double("health", health(s.Role)).int32("state", int32(s.Role)).str("stateStr", s.Role.String())
		e.opTime("optime", o.Engine.State().At)
		if o == m {
			e.bool("self", true)
		}
		members = append(members, e.raw())
	}
	return d.docs("members", members), nil
}

func health(role repl.Role) float64 {
	if role == repl.Down {
		return 0
	}
	return 1
}

// replSetGetConfig tells of what members the set is made.
func replSetGetConfig(r *request) (*doc, error) {
	if !r.replicated() {
		return nil, errNoReplSet
	}
	set := r.server.Member.Set()
	var members []bson.Raw
	for _, m := range set.Members {
		e := newDoc().int32("_id", int32(m.ID)).str("host", m.Host).bool("arbiterOnly", false).bool("buildIndexes", true)
		e.bool("hidden", false).double("priority", 1).doc("tags", orEmpty(m.Tags)).int64("slaveDelay", 0).int32("votes", 1)
		members = append(members, e.raw())
	}
	return newDoc().embed("config", func(d *doc) {
		d.str("_id", set.Name).int32("version", 1).int32("term", 1).int64("protocolVersion", 1).docs("members", members)
		d.embed("settings", func(d *doc) {
			d.bool("chainingAllowed", false).int32("heartbeatIntervalMillis", 2000).int32("heartbeatTimeoutSecs", 10)
			d.int64("electionTimeoutMillis", set.ElectionTimeout.Milliseconds()).objectID("replicaSetId", set.ID)
		})
	}), nil
}

// replSetStepDown makes the primary a secondary for a while.
func replSetStepDown(r *request) (*doc, error) {
	if !r.replicated() {
		return nil, errNoReplSet
	}
	force := r.field("force").Truthy()
	seconds, catchUp := int64(60), int64(10)
	if v := r.first(); v.IsNumber() && whole(v) != 0 {
		seconds = whole(v)
	}
	if force {
		catchUp = 0
	}
	if v := r.field("secondaryCatchUpPeriodSecs"); v.IsNumber() {
		catchUp = whole(v)
	}
	switch {
	case seconds < 0:
		return nil, errorf(codeBadValue, "stepdown period must be a positive integer")
	case catchUp < 0:
		return nil, errorf(codeBadValue, "secondaryCatchUpPeriodSecs period must be a positive or absent")
	case seconds < catchUp:
		return nil, errorf(codeBadValue, "stepdown period must be longer than secondaryCatchUpPeriodSecs")
	case !r.isPrimary():
		return nil, errorf(codeNotWritablePrimary, "not primary so can't step down")
	}
	var ok bool
	err := r.patiently(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(catchUp)*time.Second)
		defer cancel()
		ok = r.server.Member.StepDown(ctx, time.Duration(seconds)*time.Second, force)
		return nil
	})
	if err != nil {
		return nil, r.interrupted(err)
	}
	if !ok {
		return nil, errorf(codeExceedsTimeLimit, "No electable secondaries caught up as of %s. Please use the replSetStepDown command with the argument {force: true} to force node to step down.",
			time.Now().UTC().Format(time.RFC3339))
	}
	if !r.atLeast(4, 2) {
		r.server.HangUp()
		return nil, errHangUp
	}
	return newDoc(), nil
}

// replSetFreeze keeps a member from running for primary.
func replSetFreeze(r *request) (*doc, error) {
	if !r.replicated() {
		return nil, errNoReplSet
	}
	seconds := int64(0)
	if v := r.first(); v.IsNumber() {
		seconds = whole(v)
	}
	r.server.Member.Freeze(time.Duration(seconds) * time.Second)
	switch seconds {
	case 0:
		return newDoc().str("info", "unfreezing"), nil
	case 1:
		return newDoc().str("warning", "you really want to freeze for only 1 second?"), nil
	}
	return newDoc(), nil
}

// replSetStepUp makes a secondary run for primary.
func replSetStepUp(r *request) (*doc, error) {
	if !r.replicated() {
		return nil, errNoReplSet
	}
	if !r.server.Member.StepUp() {
		return nil, errorf(codeCommandFailed, "Election failed.")
	}
	return newDoc(), nil
}
