package mongod

// routeCollStats puts the statistics of a collection on all shards together.
func routeCollStats(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	s := r.destination()
	a, err := r.forward(s, r.body)
	if err != nil {
		return nil, err
	}
	part := rest(a.reply).double("ok", 1).raw()
	if !isOK(a.reply) {
		e := thrown(a.reply)
		if e.More = nil; e.Code == 0 {
			e.Code = codeUnknownError
		}
		return nil, e
	}
	d := newDoc().bool("sharded", r.server.shardKey(ns) != nil).bool("capped", part.Lookup("capped").Truthy())
	for _, name := range []string{"max", "maxSize"} {
		if v := part.Lookup(name); !v.IsZero() && part.Lookup("capped").Truthy() {
			if name == "maxSize" {
				d.int64(name, whole(v))
			} else {
				d.value(name, v)
			}
		}
	}
	d.embed("wiredTiger", func(*doc) {}).embed("indexDetails", func(*doc) {})
	for _, name := range []string{"ns", "count", "size", "storageSize", "totalIndexSize", "totalSize", "indexSizes", "nindexes", "scaleFactor"} {
		if v := part.Lookup(name); !v.IsZero() {
			d.value(name, v)
		}
	}
	if n := whole(part.Lookup("count")); n > 0 {
		d.double("avgObjSize", float64(whole(part.Lookup("size")))/float64(n))
	} else {
		d.double("avgObjSize", 0)
	}
	return d.int32("nchunks", 1).embed("shards", func(d *doc) { d.doc(s.Name, part) }), nil
}

// routeDBStats puts the statistics of a database on all shards together.
func routeDBStats(r *request) (*doc, error) {
	s := r.destination()
	a, err := r.ask(s, r.body)
	if err != nil {
		return nil, err
	}
	part := rest(a.reply).double("ok", 1).raw()
	d := newDoc().embed("raw", func(d *doc) { d.doc(s.String(), part) })
	if r.atLeast(5, 0) {
		d.str("db", r.db)
	}
	for _, name := range []string{"collections", "views"} {
		if r.atLeast(5, 0) {
			d.value(name, part.Lookup(name))
		}
	}
	for _, name := range []string{"objects", "avgObjSize", "dataSize", "storageSize", "totalSize", "indexes", "indexSize", "scaleFactor", "fileSize"} {
		v := part.Lookup(name)
		if name == "avgObjSize" {
			f, _ := v.AsDouble()
			d.double(name, f)
		} else {
			d.number(name, whole(v))
		}
	}
	return d, nil
}

func routeDataSize(r *request) (*doc, error) {
	a, err := r.ask(r.destination(), r.body)
	if err != nil {
		return nil, err
	}
	size, n := whole(a.reply.Lookup("size")), whole(a.reply.Lookup("numObjects"))
	return newDoc().double("size", float64(size)).double("numObjects", float64(n)).int32("millis", 0), nil
}

func routeValidate(r *request) (*doc, error) {
	s := r.destination()
	a, err := r.ask(s, r.body)
	if err != nil {
		return nil, err
	}
	part := rest(a.reply).double("ok", 1).raw()
	return newDoc().bool("valid", part.Lookup("valid").Truthy()).embed("raw", func(d *doc) { d.doc(s.String(), part) }), nil
}
