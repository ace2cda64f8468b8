package query

import (
	"math"
	"slices"

	"github.com/motor-go/motor/bson"
)

// geoNear sorts documents by their distance: $geoNear.
type geoNear struct {
	env            *Env
	near           *Near
	key            string
	filter         *Filter
	distance, locs []string
	multiplier     float64
	spherical      bool
	given          bool
}

func parseGeoNear(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(10065, "invalid parameter: expected an object ($geoNear)")
	}
	g := &geoNear{env: p.env, near: &Near{maxDistance: math.Inf(1)}, multiplier: 1}
	for _, f := range fields(v.Value) {
		if err := g.option(f.key, f.value); err != nil {
			return nil, err
		}
	}
	switch {
	case !g.given:
		return nil, errorf(16605, "$geoNear requires a 'near' option as an Array")
	case g.distance == nil:
		return nil, errorf(16606, "$geoNear requires a 'distanceField' option as a String")
	case g.near.meters && !g.spherical:
		return nil, errorf(codeBadValue, "$geoNear with GeoJSON needs the option 'spherical: true'")
	}
	g.near.Sphere = g.spherical
	return all(name, g.documents), nil
}

func (g *geoNear) option(name string, v bson.RawValue) (err error) {
	switch name {
	case "near":
		g.given = true
		return g.near.parse(v)
	case "distanceField", "includeLocs", "key":
		if !isString(v) {
			return errorf(codeTypeMismatch, "$geoNear parameter '%s' must be of type string but found type: %s", name, TypeName(v.Type))
		}
		if err := checkFieldPath(text(v)); err != nil {
			return err
		}
		switch name {
		case "distanceField":
			g.distance = splitPath(text(v))
		case "includeLocs":
			g.locs = splitPath(text(v))
		default:
			g.key = text(v)
		}
	case "maxDistance", "minDistance":
		return g.near.bound("$"+name, v)
	case "query":
		if !isObject(v) {
			return errorf(codeTypeMismatch, "$geoNear parameter 'query' must be an object")
		}
		g.filter, err = parseFilter(v.Value, g.env, 0)
	case "distanceMultiplier":
		if !v.IsNumber() || toDouble(v) < 0 {
			return errorf(codeBadValue, "distanceMultiplier must be a number that is not negative")
		}
		g.multiplier = toDouble(v)
	case "spherical":
		g.spherical = truthy(v)
	case "uniqueDocs":
	case "limit", "num":
		return errorf(50858, "$geoNear no longer supports the '%s' parameter. Use a $limit stage", name)
	default:
		return errorf(codeBadValue, "Unknown argument to $geoNear: %s", name)
	}
	return err
}

func (g *geoNear) documents(docs []bson.Raw) ([]bson.Raw, error) {
	near := *g.near
	if g.env.Collections.GeoIndex == nil {
		return nil, errorf(codeIndexNotFound, "$geoNear requires a 2d or 2dsphere index, but none were found")
	}
	var err error
	if near.Path, err = g.env.Collections.GeoIndex(g.env.DB, g.env.Collection, g.key); err != nil {
		return nil, err
	}
	type hit struct {
		distance float64
		doc      bson.Raw
	}
	var hits []hit
	for _, doc := range docs {
		d, ok := near.Distance(doc)
		if ok && g.filter != nil {
			if ok, err = g.filter.Match(doc); err != nil {
				return nil, err
			}
		}
		if ok {
			hits = append(hits, hit{d, doc})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return compareDoubles(a.distance, b.distance) })
	out := make([]bson.Raw, len(hits))
	for i, h := range hits {
		out[i] = setPath(h.doc, g.distance, doubleValue(h.distance*g.multiplier))
		if g.locs != nil {
			out[i] = setPath(out[i], g.locs, fieldAt(h.doc, splitPath(near.Path)))
		}
	}
	return out, nil
}
