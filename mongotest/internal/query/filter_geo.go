package query

import (
	"fmt"
	"math"
	"strings"

	"github.com/motor-go/motor/bson"
)

// Near is a $near or $nearSphere query: the matches are sorted by distance, and
// an index on the path is needed.
type Near struct {
	// Path is the field that has the places.
	Path string
	// Sphere says that distances are on the earth: a 2dsphere index serves them
	// in meters, a 2d index in radians.
	Sphere bool

	center                   point
	meters                   bool
	minDistance, maxDistance float64
}

// Distance is how far the document is, the nearest of its places counting, and
// whether it is within the query's bounds.
func (n *Near) Distance(doc bson.Raw) (distance float64, ok bool) {
	distance = math.Inf(1)
	w := walker{visit: func(v bson.RawValue, _ int) bool {
		if g, ok := readGeometry(v); ok {
			for _, p := range g.points {
				distance = math.Min(distance, n.distance(p))
			}
			return false
		}
		for _, e := range elements(v) {
			if g, ok := readGeometry(e); ok && isArray(v) {
				for _, p := range g.points {
					distance = math.Min(distance, n.distance(p))
				}
			}
		}
		return false
	}}
	w.document(doc, splitPath(n.Path), -1)
	return distance, !math.IsInf(distance, 1) && distance >= n.minDistance && distance <= n.maxDistance
}

func (n *Near) distance(p point) float64 {
	switch {
	case n.meters:
		return radians(n.center, p) * earthRadius
	case n.Sphere:
		return radians(n.center, p)
	}
	return planar(n.center, p)
}

// accepts and its like make a Near a predicate: it matches what is in bounds.
func (n *Near) accepts(v bson.RawValue, _ *int) (bool, error) {
	_, ok := (&Near{Path: "v", Sphere: n.Sphere, center: n.center, meters: n.meters, minDistance: n.minDistance, maxDistance: n.maxDistance}).Distance(wrapAs("v", v))
	return ok, nil
}

func wrapAs(name string, v bson.RawValue) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	if !isMissing(v) {
		dst = bson.AppendValue(dst, name, v)
	}
	return bson.EndDocument(dst, at)
}

func (n *Near) wholeArrays() bool { return true }
func (n *Near) bind(path string) node {
	return &nearNode{pathNode{path: path, parts: splitPath(path), pred: n}}
}
func (n *Near) kind() int      { return kindGeo }
func (n *Near) String() string { return "" }

// nearNode shows itself otherwise than the rest.
type nearNode struct{ pathNode }

func (n *nearNode) tree(b *strings.Builder, depth int) {
	near := n.pred.(*Near)
	limit := formatFloat6(near.maxDistance)
	treeOf(b, depth, fmt.Sprintf("GEONEAR  field=%s maxdist=%s isNearSphere=%d", n.path, limit, boolInt(near.Sphere && !near.meters)), nil)
}

func formatFloat6(f float64) string {
	if math.IsInf(f, 1) {
		f = math.MaxFloat64
	}
	return fmt.Sprintf("%.6g", f)
}

// geoPredicate is $geoWithin or $geoIntersects.
type geoPredicate struct {
	onArrays
	area   area      // $geoWithin
	shares *geometry // $geoIntersects
}

func (p *geoPredicate) accepts(v bson.RawValue, _ *int) (bool, error) {
	if g, ok := readGeometry(v); ok {
		return p.acceptsGeometry(g), nil
	}
	if isArray(v) {
		for _, e := range elements(v) {
			if g, ok := readGeometry(e); ok && p.acceptsGeometry(g) {
				return true, nil
			}
		}
	}
	return false, nil
}

func (p *geoPredicate) acceptsGeometry(g *geometry) bool {
	if p.shares != nil {
		return g.intersects(p.shares)
	}
	return g.within(p.area)
}

func (p *geoPredicate) bind(path string) node { return bindPath(path, p) }
func (p *geoPredicate) kind() int             { return kindGeo }
func (p *geoPredicate) String() string        { return "GEO" }

// geo parses a document of operators that begins with one on places. It is nil
// for any other.
func (p *filterParser) geo(path string, doc bson.Raw) (predicate, error) {
	list := fields(doc)
	if len(list) == 0 {
		return nil, nil
	}
	switch list[0].key {
	case "$geoWithin", "$within":
		return parseGeoWithin(list[0].value)
	case "$geoIntersects":
		return parseGeoIntersects(list[0].value)
	case "$near", "$nearSphere", "$maxDistance", "$minDistance":
	default:
		return nil, nil
	}
	if p.allow&allowGeo == 0 {
		if p.env.Version.AtLeast(4, 4) {
			return nil, errorf(codeBadValue, "$geoNear, $near, and $nearSphere are not allowed in this context")
		}
		return nil, errorf(codeBadValue, "$near is not allowed in this context")
	}
	near, err := parseNear(path, list)
	if err != nil {
		return nil, err
	}
	if p.filter.Near != nil {
		return nil, errorf(codeBadValue, "Too many geoNear expressions")
	}
	p.filter.Near = near
	return near, nil
}

func parseNear(path string, list []field) (*Near, error) {
	near := &Near{Path: path, maxDistance: math.Inf(1)}
	for _, f := range list {
		switch f.key {
		case "$near", "$nearSphere":
			near.Sphere = f.key == "$nearSphere"
			if err := near.parse(f.value); err != nil {
				return nil, err
			}
		case "$maxDistance", "$minDistance":
			if err := near.bound(f.key, f.value); err != nil {
				return nil, err
			}
		default:
			return nil, errorf(codeBadValue, "invalid argument in geo near query: %s", f.key)
		}
	}
	return near, nil
}

func (n *Near) bound(name string, v bson.RawValue) error {
	f := toDouble(v)
	if !v.IsNumber() {
		return errorf(codeBadValue, "%s must be a number", name[1:])
	}
	if !(f >= 0) {
		return errorf(codeBadValue, "%s must be non-negative", name[1:])
	}
	if name == "$minDistance" {
		n.minDistance = f
	} else {
		n.maxDistance = f
	}
	return nil
}

func (n *Near) parse(v bson.RawValue) error {
	if isObject(v) && !isMissing(bson.Raw(v.Value).Lookup("$geometry")) {
		for _, f := range fields(v.Value) {
			switch f.key {
			case "$geometry":
				g, ok := readGeometry(f.value)
				if !ok || len(g.points) != 1 || len(g.lines)+len(g.polygons) > 0 {
					return errorf(codeBadValue, "invalid point in geo near query $geometry argument: %s", formatValue(f.value))
				}
				if p := g.points[0]; math.Abs(p.x) > 180 || math.Abs(p.y) > 90 {
					return errorf(codeBadValue, "invalid point in geo near query $geometry argument: %s  longitude/latitude is out of bounds, lng: %s lat: %s", formatValue(f.value), formatShortDouble(p.x), formatShortDouble(p.y))
				}
				n.center, n.meters, n.Sphere = g.points[0], true, true
			case "$maxDistance", "$minDistance":
				if err := n.bound(f.key, f.value); err != nil {
					return err
				}
			default:
				return errorf(codeBadValue, "invalid argument in geo near query: %s", f.key)
			}
		}
		return nil
	}
	if g, ok := readGeometry(v); ok && isObject(v) && isString(bson.Raw(v.Value).Lookup("type")) && len(g.points) == 1 {
		n.center, n.meters, n.Sphere = g.points[0], true, true
		return nil
	}
	var ok bool
	if n.center, ok = readPoint(v); !ok {
		return errorf(codeBadValue, "invalid point provided to geo near query: %s", formatValue(v))
	}
	if list := fields(v.Value); len(list) > 2 {
		return n.bound("$maxDistance", list[2].value)
	}
	return nil
}

func parseGeoWithin(v bson.RawValue) (predicate, error) {
	if !isObject(v) {
		return nil, errorf(codeBadValue, "geometry must be an object")
	}
	p := &geoPredicate{}
	for _, f := range fields(v.Value) {
		if f.key == "$uniqueDocs" {
			continue
		}
		a, err := parseArea(f.key, f.value)
		if err != nil {
			return nil, err
		}
		p.area = a
	}
	if p.area == nil {
		return nil, errorf(codeBadValue, "$geoWithin not supported with provided geometry: %s", FormatDocument(v.Value))
	}
	return p, nil
}

func parseArea(kind string, v bson.RawValue) (area, error) {
	switch kind {
	case "$box":
		list, ok := readPoints(v)
		if !ok || len(list) != 2 {
			return nil, errorf(codeBadValue, "Point must be an array or object")
		}
		a, b := list[0], list[1]
		return polygonArea{[][][]point{{{a, {b.x, a.y}, b, {a.x, b.y}}}}}, nil
	case "$polygon":
		list, ok := readPoints(v)
		if !ok {
			return nil, errorf(codeBadValue, "Point must be an array or object")
		}
		if len(list) < 3 {
			return nil, errorf(codeBadValue, "Polygon must have at least 3 points")
		}
		return polygonArea{[][][]point{{list}}}, nil
	case "$center", "$centerSphere":
		if !isArray(v) {
			return nil, errorf(codeBadValue, "unknown geo specifier: %s", formatElement(kind, v))
		}
		list := elements(v)
		if len(list) < 1 {
			return nil, errorf(codeBadValue, "Point must be an array or object")
		}
		center, ok := readPoint(list[0])
		if !ok {
			return nil, errorf(codeBadValue, "Point must be an array or object")
		}
		if len(list) != 2 || !list[1].IsNumber() || !(toDouble(list[1]) >= 0) {
			return nil, errorf(codeBadValue, "radius must be a non-negative number")
		}
		circle := circleArea{center, toDouble(list[1]), planar}
		if kind == "$centerSphere" {
			circle.distance = radians
		}
		return circle, nil
	case "$geometry":
		g, ok := readGeometry(v)
		if !ok {
			return nil, errorf(codeBadValue, "unknown GeoJSON type: %s", formatElement(kind, v))
		}
		if len(g.polygons) == 0 {
			return nil, errorf(codeBadValue, "$within not supported with provided geometry: %s", formatValue(v))
		}
		return polygonArea{g.polygons}, nil
	}
	return nil, errorf(codeBadValue, "unknown geo specifier: %s", formatElement(kind, v))
}

func parseGeoIntersects(v bson.RawValue) (predicate, error) {
	if !isObject(v) {
		return nil, errorf(codeBadValue, "geometry must be an object")
	}
	spec := bson.Raw(v.Value).Lookup("$geometry")
	g, ok := readGeometry(spec)
	if !ok {
		return nil, errorf(codeBadValue, "$geoIntersects not supported with provided geometry: %s", FormatDocument(v.Value))
	}
	return &geoPredicate{shares: g}, nil
}
