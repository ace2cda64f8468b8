package query

import (
	"math"

	"github.com/motor-go/motor/bson"
)

// point is a place: x and y on a plane, or longitude and latitude in degrees.
type point struct{ x, y float64 }

// geometry is what a document or a query says about places. A polygon has its
// outer ring first and its holes after it.
type geometry struct {
	points   []point
	lines    [][]point
	polygons [][][]point
}

// earthRadius is what the server takes distances in meters by.
const earthRadius = 6378100.0

// radians is the angle between two places on the sphere.
func radians(a, b point) float64 {
	const deg = math.Pi / 180
	sinLat, sinLng := math.Sin((b.y-a.y)*deg/2), math.Sin((b.x-a.x)*deg/2)
	h := sinLat*sinLat + math.Cos(a.y*deg)*math.Cos(b.y*deg)*sinLng*sinLng
	return 2 * math.Asin(math.Min(1, math.Sqrt(h)))
}

func planar(a, b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// inRing reports whether p is within the ring or on its border.
func inRing(p point, ring []point) bool {
	inside := false
	for i := range ring {
		a, b := ring[i], ring[(i+1)%len(ring)]
		if onSegment(p, a, b) {
			return true
		}
		if (a.y > p.y) != (b.y > p.y) && p.x < (b.x-a.x)*(p.y-a.y)/(b.y-a.y)+a.x {
			inside = !inside
		}
	}
	return inside
}

func cross(a, b, c point) float64 { return (b.x-a.x)*(c.y-a.y) - (b.y-a.y)*(c.x-a.x) }

func onSegment(p, a, b point) bool {
	return math.Abs(cross(a, b, p)) < 1e-12 &&
		p.x >= math.Min(a.x, b.x) && p.x <= math.Max(a.x, b.x) && p.y >= math.Min(a.y, b.y) && p.y <= math.Max(a.y, b.y)
}

func segmentsMeet(a, b, c, d point) bool {
	return cross(a, b, c)*cross(a, b, d) < 0 && cross(c, d, a)*cross(c, d, b) < 0 ||
		onSegment(a, c, d) || onSegment(b, c, d) || onSegment(c, a, b) || onSegment(d, a, b)
}

func inPolygon(p point, polygon [][]point) bool {
	for i, ring := range polygon {
		if inRing(p, ring) != (i == 0) {
			return false
		}
	}
	return len(polygon) > 0
}

// area is a region that a query looks in.
type area interface{ contains(p point) bool }

type polygonArea struct{ polygons [][][]point }

func (a polygonArea) contains(p point) bool {
	for _, polygon := range a.polygons {
		if inPolygon(p, polygon) {
			return true
		}
	}
	return false
}

type circleArea struct {
	center   point
	radius   float64
	distance func(a, b point) float64
}

func (a circleArea) contains(p point) bool { return a.distance(a.center, p) <= a.radius }

// within reports whether all of g is in the area.
func (g *geometry) within(a area) bool {
	all := append([]point{}, g.points...)
	for _, l := range g.lines {
		all = append(all, l...)
	}
	for _, polygon := range g.polygons {
		all = append(all, polygon[0]...)
	}
	for _, p := range all {
		if !a.contains(p) {
			return false
		}
	}
	return len(all) > 0
}

// segments are the edges of all lines and rings.
func (g *geometry) segments() (list [][2]point) {
	for _, l := range g.lines {
		for i := 1; i < len(l); i++ {
			list = append(list, [2]point{l[i-1], l[i]})
		}
	}
	for _, polygon := range g.polygons {
		for _, ring := range polygon {
			for i := range ring {
				list = append(list, [2]point{ring[i], ring[(i+1)%len(ring)]})
			}
		}
	}
	return list
}

// intersects reports whether g and h share a place.
func (g *geometry) intersects(h *geometry) bool {
	return g.touches(h) || h.touches(g)
}

func (g *geometry) touches(h *geometry) bool {
	gs, hs := g.segments(), h.segments()
	corners := append([]point{}, g.points...)
	for _, s := range gs {
		corners = append(corners, s[0], s[1])
	}
	for _, p := range corners {
		for _, q := range h.points {
			if p == q {
				return true
			}
		}
		for _, s := range hs {
			if onSegment(p, s[0], s[1]) {
				return true
			}
		}
		if (polygonArea{h.polygons}).contains(p) {
			return true
		}
	}
	for _, s := range gs {
		for _, t := range hs {
			if segmentsMeet(s[0], s[1], t[0], t[1]) {
				return true
			}
		}
	}
	return false
}

// readPoint reads the coordinates of a point: [x, y] or {x: …, y: …}.
func readPoint(v bson.RawValue) (p point, ok bool) {
	if !isArray(v) && !isObject(v) {
		return p, false
	}
	list := fields(v.Value)
	if len(list) < 2 || !list[0].value.IsNumber() || !list[1].value.IsNumber() {
		return p, false
	}
	p = point{toDouble(list[0].value), toDouble(list[1].value)}
	return p, !math.IsNaN(p.x) && !math.IsNaN(p.y)
}

func readPoints(v bson.RawValue) (list []point, ok bool) {
	if !isArray(v) && !isObject(v) {
		return nil, false
	}
	for _, f := range fields(v.Value) {
		p, ok := readPoint(f.value)
		if !ok {
			return nil, false
		}
		list = append(list, p)
	}
	return list, true
}

// readGeometry reads GeoJSON, or a legacy pair of coordinates.
func readGeometry(v bson.RawValue) (g *geometry, ok bool) {
	if !isObject(v) || !isString(bson.Raw(v.Value).Lookup("type")) {
		p, ok := readPoint(v)
		return &geometry{points: []point{p}}, ok
	}
	doc := bson.Raw(v.Value)
	g = &geometry{}
	return g, g.read(text(doc.Lookup("type")), doc.Lookup("coordinates"), doc.Lookup("geometries"))
}

func (g *geometry) read(kind string, coordinates, geometries bson.RawValue) bool {
	if kind == "GeometryCollection" {
		for _, e := range elements(geometries) {
			inner, ok := readGeometry(e)
			if !ok {
				return false
			}
			g.points = append(g.points, inner.points...)
			g.lines = append(g.lines, inner.lines...)
			g.polygons = append(g.polygons, inner.polygons...)
		}
		return isArray(geometries)
	}
	if !isArray(coordinates) {
		return false
	}
	switch kind {
	case "Point":
		p, ok := readPoint(coordinates)
		g.points = append(g.points, p)
		return ok
	case "MultiPoint":
		list, ok := readPoints(coordinates)
		g.points = append(g.points, list...)
		return ok
	case "LineString":
		list, ok := readPoints(coordinates)
		g.lines = append(g.lines, list)
		return ok && len(list) >= 2
	case "Polygon":
		polygon, ok := readPolygon(coordinates)
		g.polygons = append(g.polygons, polygon)
		return ok
	case "MultiLineString", "MultiPolygon":
		for _, e := range elements(coordinates) {
			if !g.read(kind[len("Multi"):], e, missing) {
				return false
			}
		}
		return true
	}
	return false
}

func readPolygon(v bson.RawValue) (polygon [][]point, ok bool) {
	for _, e := range elements(v) {
		ring, ok := readPoints(e)
		if !ok || len(ring) < 4 || ring[0] != ring[len(ring)-1] {
			return nil, false
		}
		polygon = append(polygon, ring[:len(ring)-1])
	}
	return polygon, len(polygon) > 0
}

// checkGeoKey checks the value of a field that a 2dsphere or 2d index is on.
func checkGeoKey(doc bson.Raw, path string, v bson.RawValue, kind string) error {
	if isNullish(v) {
		return nil
	}
	refuse := func(format string, args ...any) error {
		err := errorf(16755, format, args...)
		err.Message = "Can't extract geo keys: " + FormatDocument(doc) + "  " + err.Message
		return err
	}
	if !isObject(v) && !isArray(v) {
		if kind == "2d" {
			return errorf(13068, "geo field only has 1 element")
		}
		return refuse("geo element must be an array or object: %s", formatElement(path, v))
	}
	g, ok := readGeometry(v)
	if !ok {
		if kind == "2d" {
			return errorf(13026, "geo values must be 'legacy coordinate pairs' for 2d indexes")
		}
		return refuse("unknown GeoJSON type: %s", FormatDocument(v.Value))
	}
	for _, p := range g.points {
		if math.Abs(p.x) > 180 || math.Abs(p.y) > 90 {
			if kind == "2d" {
				if math.Abs(p.x) <= 180 && math.Abs(p.y) <= 180 {
					continue
				}
				return errorf(13027, "point not in interval of [ -180, 180 ) :: caused by :: %s", FormatDocument(doc))
			}
			return refuse("longitude/latitude is out of bounds, lng: %s lat: %s", formatShortDouble(p.x), formatShortDouble(p.y))
		}
	}
	return nil
}
