package query

import "github.com/motor-go/motor/bson"

// formatDate is a date in ISO 8601 with milliseconds.
func formatDate(d bson.DateTime) string { return d.Time().Format("2006-01-02T15:04:05.000Z") }
