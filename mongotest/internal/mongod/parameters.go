package mongod

import (
	"math"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// historyWindow is the parameter that says how far back snapshot reads go.
const historyWindow = "minSnapshotHistoryWindowInSeconds"

// parameters are what getParameter and setParameter know.
type parameters struct {
	mu     sync.Mutex
	values map[string]bson.RawValue

	defaultWrite bson.Raw
	defaultRead  bson.Raw
}

func (p *parameters) init(s *Server) {
	defaults := newDoc().bool("enableTestCommands", true).int32("logLevel", 0).bool("notablescan", false)
	defaults.int32("transactionLifetimeLimitSeconds", 60).int64("maxTransactionLockRequestTimeoutMillis", 5)
	defaults.int64("cursorTimeoutMillis", cursorTimeout.Milliseconds()).bool("ttlMonitorEnabled", true)
	defaults.int32("localLogicalSessionTimeoutMinutes", int32(sessionTimeout/time.Minute))
	mechanisms := []string{"MONGODB-X509", "SCRAM-SHA-1", "SCRAM-SHA-256"}
	if len(s.OIDCTokens) > 0 {
		mechanisms = append(mechanisms, "MONGODB-OIDC")
	}
	defaults.bool("requireApiVersion", false).strings("authenticationMechanisms", mechanisms)
	if !s.Mongos {
		defaults.embed("featureCompatibilityVersion", func(d *doc) {
			d.str("version", itoa(s.Version.Major)+"."+itoa(s.Version.Minor))
		})
	}
	switch {
	case s.Mongos:
	case s.Version.AtLeast(5, 0):
		defaults.int32(historyWindow, storage.DefaultHistoryWindow)
		s.Engine.SetHistoryWindow(storage.DefaultHistoryWindow)
	default:
		s.Engine.SetHistoryWindow(5) // maxTargetSnapshotHistoryWindowInSeconds
	}
	p.values = map[string]bson.RawValue{}
	for name, v := range defaults.raw().All() {
		p.values[name] = v
	}
}

func (p *parameters) get(name string) bson.RawValue {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[name]
}

func (p *parameters) transactionLifetime() time.Duration {
	return time.Duration(whole(p.get("transactionLifetimeLimitSeconds"))) * time.Second
}

func getParameter(r *request) (*doc, error) {
	p := &r.server.parameters
	all, _ := r.first().Str()
	reply := newDoc()
	found := false
	if all == "*" || r.first().Type == bson.TypeEmbeddedDocument {
		p.mu.Lock()
		defer p.mu.Unlock()
		for name, v := range p.values {
			reply.value(name, v)
		}
		return reply, nil
	}
	first := true
	for name := range r.body.Keys() {
		if v := p.get(name); !first && !v.IsZero() {
			reply.value(name, v)
			found = true
		}
		first = false
	}
	if !found {
		if r.atLeast(5, 0) {
			return nil, errorf(codeInvalidOptions, "no option found to get")
		}
		return nil, errorf(0, "no option found to get")
	}
	return reply, nil
}

func setParameter(r *request) (*doc, error) {
	p := &r.server.parameters
	reply := newDoc()
	found, first := false, true
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, v := range r.body.All() {
		if old, known := p.values[name]; known && !first {
			if name == historyWindow {
				seconds := whole(v)
				if seconds < 0 {
					return nil, errorf(codeBadValue, "Invalid value for parameter %s: %d is not greater than or equal to 0", name, seconds)
				}
				r.server.Engine.SetHistoryWindow(uint32(min(seconds, math.MaxInt32)))
			}
			reply.value("was", old)
			p.values[name] = v
			found = true
		} else if !first && !r.server.Version.generic(name) {
			return nil, errorf(codeInvalidOptions, "attempted to set unrecognized parameter [%s], use help:true to see options ", name)
		}
		first = false
	}
	if !found {
		return nil, errorf(codeInvalidOptions, "no option found to set, use help:true to see options ")
	}
	return reply, nil
}

// defaults are the parameters that the default concerns stand in: those of the
// config servers in a sharded cluster.
func (s *Server) defaults() *parameters {
	if s.Cluster != nil {
		if config := s.Cluster.Config.choose("primary"); config != nil {
			return &config.parameters
		}
	}
	return &s.parameters
}

func (p *parameters) defaultWriteConcern() (c writeConcern, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.defaultWrite == nil {
		return c, false
	}
	c, err := parseWriteConcern(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: p.defaultWrite})
	c.provenance = "customDefault"
	return c, err == nil
}

func getDefaultRWConcern(r *request) (*doc, error) {
	p := &r.server.parameters
	p.mu.Lock()
	defer p.mu.Unlock()
	reply := newDoc()
	if p.defaultRead != nil {
		reply.doc("defaultReadConcern", p.defaultRead)
	}
	if p.defaultWrite != nil {
		reply.doc("defaultWriteConcern", p.defaultWrite)
	}
	return reply.date("localUpdateWallClockTime", time.Now()), nil
}

func setDefaultRWConcern(r *request) (*doc, error) {
	read, write := r.field("defaultReadConcern"), r.field("defaultWriteConcern")
	if read.IsZero() && write.IsZero() {
		return nil, errorf(codeBadValue, "At least one of the \"defaultReadConcern\" or \"defaultWriteConcern\" fields must be present")
	}
	if !write.IsZero() {
		c, err := parseWriteConcern(write)
		if err != nil {
			return nil, err
		}
		if c.none {
			return nil, errorf(codeBadValue, "Unacknowledged write concern is not suitable for the default write concern")
		}
	}
	if !read.IsZero() {
		c, err := parseReadConcern(read)
		if err != nil {
			return nil, err
		}
		if c.level == "linearizable" || c.level == "snapshot" {
			return nil, errorf(codeBadValue, "level: '%s' is not suitable for the default read concern", c.level)
		}
	}
	p := &r.server.parameters
	p.mu.Lock()
	if d, ok := write.Document(); ok {
		p.defaultWrite = nil
		if d.Len() > 0 {
			p.defaultWrite = d.Clone()
		}
	}
	if d, ok := read.Document(); ok {
		p.defaultRead = nil
		if d.Len() > 0 {
			p.defaultRead = d.Clone()
		}
	}
	p.mu.Unlock()
	return getDefaultRWConcern(r)
}
