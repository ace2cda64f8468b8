package spectests

import (
	"encoding/json"
	"math"
	"time"

	"github.com/motor-go/motor/topology/description"
)

// rttFile is a fixture of the average round trip time.
type rttFile struct {
	Average    json.RawMessage `json:"avg_rtt_ms"` // a number or "NULL"
	New        float64         `json:"new_rtt_ms"`
	NewAverage float64         `json:"new_avg_rtt"`
}

func runRTT(t T, f File) {
	var test rttFile
	f.Decode(t, &test)
	var times description.RoundTripTimes
	if string(test.Average) != `"NULL"` {
		var average float64
		decodeJSON(t, test.Average, &average)
		times = times.Add(milliseconds(average))
	}
	times = times.Add(milliseconds(test.New))
	if want := milliseconds(test.NewAverage); times.Average != want {
		t.Errorf("the average is %v, want %v", times.Average, want)
	}
}

func milliseconds(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}
