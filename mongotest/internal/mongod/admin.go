package mongod

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/motor-go/motor/mongotest/internal/storage"
)

// ok answers the commands that have nothing to say.
func ok(*request) (*doc, error) { return newDoc(), nil }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

func buildInfo(r *request) (*doc, error) {
	v := r.server.Version
	d := newDoc().str("version", v.String()).str("gitVersion", "0000000000000000000000000000000000000000")
	d.strings("modules", nil).str("allocator", "go").str("javascriptEngine", "none").str("sysInfo", "deprecated")
	d.values("versionArray", int32Values([]int32{int32(v.Major), int32(v.Minor), int32(v.Patch), 0}))
	d.embed("openssl", func(d *doc) { d.str("running", "disabled").str("compiled", "disabled") })
	d.embed("buildEnvironment", func(d *doc) {
		d.str("distarch", runtime.GOARCH).str("target_arch", runtime.GOARCH).str("target_os", runtime.GOOS)
	})
	d.int32("bits", 64).bool("debug", false).int32("maxBsonObjectSize", maxDocumentSize)
	return d.strings("storageEngines", []string{"mongotest", "wiredTiger"}), nil
}

func serverStatus(r *request) (*doc, error) {
	s := r.server
	up := time.Since(s.started)
	process := "mongod"
	if s.Mongos {
		process = "mongos"
	}
	d := newDoc().str("host", s.Host).str("version", s.Version.String()).str("process", process).int64("pid", 1)
	d.double("uptime", up.Seconds()).int64("uptimeMillis", up.Milliseconds()).date("localTime", time.Now())
	d.embed("connections", func(d *doc) {
		open := int32(s.Connections())
		d.int32("current", open).int32("available", 51200-open).int32("totalCreated", s.created()).int32("active", open)
	})
	d.embed("logicalSessionRecordCache", func(d *doc) { d.int32("activeSessionsCount", int32(len(s.sessions.all()))) })
	d.embed("metrics", func(d *doc) {
		d.embed("cursor", func(d *doc) {
			d.int64("timedOut", 0)
			d.embed("open", func(d *doc) { d.int64("total", int64(s.cursors.count())) })
		})
	})
	if m := s.Member; m != nil {
		d.embed("repl", func(d *doc) {
			d.str("setName", m.Set().Name).bool("ismaster", r.isPrimary()).str("me", m.Host)
		})
	}
	if !s.Mongos {
		d.embed("storageEngine", func(d *doc) {
			d.str("name", "wiredTiger").bool("supportsCommittedReads", true).bool("persistent", true)
		})
	}
	return d, nil
}

func (s *Server) created() int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastConn
}

func (c *cursors) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

func whatsmyuri(r *request) (*doc, error) {
	return newDoc().str("you", r.conn.net.RemoteAddr().String()), nil
}

func hostInfo(r *request) (*doc, error) {
	d := newDoc().embed("system", func(d *doc) {
		d.date("currentTime", time.Now()).str("hostname", r.server.Host).int32("cpuAddrSize", 64).int32("numCores", int32(runtime.NumCPU()))
	})
	d.embed("os", func(d *doc) { d.str("type", runtime.GOOS).str("name", runtime.GOOS).str("version", "") })
	return d.embed("extra", func(*doc) {}), nil
}

func getCmdLineOpts(*request) (*doc, error) {
	return newDoc().strings("argv", []string{"mongod"}).embed("parsed", func(*doc) {}), nil
}

func getLog(r *request) (*doc, error) {
	if v, _ := r.first().Str(); v == "*" {
		return newDoc().strings("names", []string{"global", "startupWarnings"}), nil
	}
	return newDoc().int32("totalLinesWritten", 0).strings("log", nil), nil
}

func listCommands(r *request) (*doc, error) {
	commands := r.server.commands()
	var names []string
	for name, c := range commands {
		if name == c.name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return newDoc().embed("commands", func(d *doc) {
		for _, name := range names {
			c := commands[name]
			d.embed(name, func(d *doc) {
				d.str("help", "").bool("requiresAuth", !c.noAuth).bool("secondaryOk", !c.writes && !c.reads).bool("adminOnly", c.admin)
				d.strings("apiVersions", nil)
			})
		}
	}), nil
}

// collStats tells of the size of a collection.
func collStats(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	d := newDoc().str("ns", ns.String())
	scale := int64(1)
	if v := r.field("scale"); v.IsNumber() {
		if scale = whole(v); scale < 1 {
			return nil, &Error{Message: "scale has to be >= 1", More: d}
		}
	}
	c := r.server.Engine.State().Collection(ns)
	if c == nil {
		if _, view := r.server.Engine.State().View(ns); view {
			return nil, errorf(codeNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
		}
		d.int32("size", 0).int32("count", 0).int32("storageSize", 0).int32("totalSize", 0).int32("nindexes", 0)
		d.int32("totalIndexSize", 0).embed("indexDetails", func(*doc) {}).embed("indexSizes", func(*doc) {})
		return d.number("scaleFactor", scale), nil
	}
	r.storageStats(d, c, scale)
	return d, nil
}

// pageSize is what the smallest file takes.
const pageSize = 4096

func (r *request) storageStats(d *doc, c *storage.Collection, scale int64) {
	n := int64(c.Len())
	d.number("size", c.Size()/scale).number("count", n)
	if n > 0 {
		d.number("avgObjSize", c.Size()/n)
	}
	indexes := pageSize * int64(len(c.Indexes))
	d.number("storageSize", pageSize/scale).number("freeStorageSize", 0).bool("capped", c.Options.Capped)
	if c.Options.Capped {
		if c.Options.Max > 0 {
			d.number("max", c.Options.Max)
		} else {
			d.number("max", 0)
		}
		d.number("maxSize", c.Options.Size/scale).bool("sleepCount", false)
	}
	d.number("nindexes", int64(len(c.Indexes))).embed("indexDetails", func(*doc) {}).values("indexBuilds", nil)
	d.number("totalIndexSize", indexes/scale).number("totalSize", (pageSize+indexes)/scale)
	d.embed("indexSizes", func(d *doc) {
		for _, ix := range c.Indexes {
			d.number(ix.Name, pageSize/scale)
		}
	})
	d.number("scaleFactor", scale)
}

// dbStats tells of the size of a database.
func dbStats(r *request) (*doc, error) {
	state := r.server.Engine.State()
	var collections, views, objects, indexes int64
	var size int64
	for c := range state.Collections(r.db) {
		if c.NS.Collection == "system.views" {
			views = int64(c.Len())
			continue
		}
		collections++
		objects += int64(c.Len())
		size += c.Size()
		indexes += int64(len(c.Indexes))
	}
	d := newDoc().str("db", r.db).number("collections", collections).number("views", views).number("objects", objects)
	if collections == 0 {
		d.int32("avgObjSize", 0).int32("dataSize", 0).int32("storageSize", 0).int32("totalSize", 0).int32("indexes", 0).int32("indexSize", 0)
		return d.int32("scaleFactor", 1).int32("fileSize", 0).int32("fsUsedSize", 0).int32("fsTotalSize", 0), nil
	}
	average := 0.0
	if objects > 0 {
		average = float64(size) / float64(objects)
	}
	d.double("avgObjSize", average).double("dataSize", float64(size)).double("storageSize", float64(pageSize*collections))
	d.number("indexes", indexes).double("indexSize", float64(pageSize*indexes)).double("totalSize", float64(pageSize*(collections+indexes)))
	return d.double("scaleFactor", 1).double("fsUsedSize", 0).double("fsTotalSize", 0), nil
}

func dataSize(r *request) (*doc, error) {
	name, _ := r.first().Str()
	c := r.server.Engine.State().Collection(storage.ParseNamespace(name))
	d := newDoc()
	if c == nil {
		return d.int32("size", 0).int32("numObjects", 0).int32("millis", 0), nil
	}
	return d.bool("estimate", false).number("size", c.Size()).number("numObjects", int64(c.Len())).int32("millis", 0), nil
}

func validate(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	c := r.server.Engine.State().Collection(ns)
	if c == nil {
		return nil, errorf(codeNamespaceNotFound, "Collection '%s' does not exist to validate.", ns)
	}
	d := newDoc().str("ns", ns.String()).int32("nInvalidDocuments", 0).number("nrecords", int64(c.Len())).number("nIndexes", int64(len(c.Indexes)))
	d.embed("keysPerIndex", func(d *doc) {
		for _, ix := range c.Indexes {
			d.number(ix.Name, int64(ix.Len()))
		}
	})
	d.embed("indexDetails", func(d *doc) {
		for _, ix := range c.Indexes {
			d.embed(ix.Name, func(d *doc) { d.bool("valid", true) })
		}
	})
	return d.bool("valid", true).strings("warnings", nil).strings("errors", nil).values("extraIndexEntries", nil).values("missingIndexEntries", nil), nil
}

func compact(r *request) (*doc, error) {
	if r.replicated() && r.isPrimary() && !r.field("force").Truthy() && !r.atLeast(4, 9) {
		return nil, errorf(0, "will not run compact on an active replica set primary as this is a slow blocking operation. use force:true to force")
	}
	return newDoc().int32("bytesFreed", 0), nil
}

// explain answers for the commands that have a plan.
func explain(r *request) (*doc, error) {
	inner, isDoc := r.first().Document()
	if !isDoc {
		return nil, errorf(codeFailedToParse, "explain command requires a nested object")
	}
	if v := r.field("verbosity"); !v.IsZero() {
		switch s, _ := v.Str(); s {
		case "queryPlanner", "executionStats", "allPlansExecution":
		default:
			return nil, errorf(codeFailedToParse, "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}")
		}
	}
	name := firstKey(inner)
	c := commands[name]
	if c == nil {
		return nil, errorf(codeCommandNotFound, "Explain failed due to unknown command: %s", name)
	}
	switch c.name {
	case "find", "aggregate", "count", "distinct", "update", "delete", "findAndModify", "mapReduce":
	default:
		return nil, errorf(codeIllegalOperation, "Cannot explain cmd: %s", name)
	}
	collection, _ := inner.Lookup(name).Str()
	ns := storage.Namespace{DB: r.db, Collection: collection}
	d := r.explained(ns)
	if s, _ := r.field("verbosity").Str(); s != "queryPlanner" {
		d.embed("executionStats", func(d *doc) { d.bool("executionSuccess", true).int32("nReturned", 0).int32("executionTimeMillis", 0) })
	}
	d.embed("serverInfo", func(d *doc) {
		d.str("host", r.server.Host).int32("port", 27017).str("version", r.server.Version.String())
	})
	return d, nil
}

// getLastError tells how the last write of the connection went, in the way of
// old drivers.
func getLastError(r *request) (*doc, error) {
	d := newDoc()
	if r.replicated() {
		d.opTime("lastOp", r.conn.lastOp)
	}
	d.int32("connectionId", r.conn.id).int32("n", 0).int32("syncMillis", 0)
	w := r.field("w")
	if !w.IsZero() {
		d.int32("wtime", 0)
	} else {
		w = int32Values([]int32{1})[0]
	}
	d.null("writtenTo").embed("writeConcern", func(d *doc) { d.value("w", w).int32("wtimeout", 0) })
	return d.null("err"), nil
}

// appendOplogNote writes an Entry that changes nothing.
func appendOplogNote(r *request) (*doc, error) {
	data := r.object("data")
	if data == nil {
		return nil, errorf(4, "Missing expected field \"data\"")
	}
	return newDoc(), r.transact(func(tx *storage.Tx) error {
		return tx.Do(&storage.Op{Kind: storage.Noop, Stmt: storage.NoStmt, Object: data})
	})
}

func connPoolStats(*request) (*doc, error) {
	return newDoc().int32("numClientConnections", 0).embed("hosts", func(*doc) {}), nil
}

func echo(r *request) (*doc, error) {
	d := newDoc()
	for name, v := range r.body.All() {
		d.value(name, v)
	}
	return newDoc().doc("echo", d.raw()), nil
}
