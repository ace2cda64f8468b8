package query

import "github.com/motor-go/motor/bson"

func parseGeoNear(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	return nil, errorf(16605, "$geoNear requires a 'near' option as an Array")
}
