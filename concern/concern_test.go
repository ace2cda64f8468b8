package concern

import (
	"strings"
	"testing"
	"time"
)

func TestReadConcern(t *testing.T) {
	if !(ReadConcern{}).IsDefault() {
		t.Error("the zero value is sent")
	}
	if (ReadConcern{Level: Local}).IsDefault() {
		t.Error("local is not sent")
	}
}

func TestWriteConcern(t *testing.T) {
	for _, test := range []struct {
		w                     WriteConcern
		deflt, unacknowledged bool
		wrong                 string
	}{
		{w: WriteConcern{}, deflt: true},
		{w: WriteConcern{W: 0}, unacknowledged: true},
		{w: WriteConcern{W: 0, Journal: new(false)}, unacknowledged: true},
		{w: WriteConcern{W: 0, WTimeout: time.Second}, unacknowledged: true},
		{w: WriteConcern{W: 0, Journal: new(true)}, wrong: "w: 0 contradicts journal: true"},
		{w: WriteConcern{W: 1}},
		{w: WriteConcern{W: "majority"}},
		{w: WriteConcern{Journal: new(false)}},
		{w: WriteConcern{WTimeout: time.Second}},
		{w: WriteConcern{W: -1}, wrong: "w: -1 is negative"},
		{w: WriteConcern{W: int64(1)}, wrong: "w: 1 has type int64; use an int or a string"},
		{w: WriteConcern{WTimeout: -time.Second}, wrong: "wtimeout: -1s is negative"},
	} {
		if got := test.w.IsDefault(); got != test.deflt {
			t.Errorf("%+v: default is %v", test.w, got)
		}
		if got := test.w.Acknowledged(); got == test.unacknowledged {
			t.Errorf("%+v: acknowledged is %v", test.w, got)
		}
		checkError(t, test.w, test.w.Validate(), test.wrong)
	}
}

func TestReadPreference(t *testing.T) {
	tags := []TagSet{{{"dc", "ny"}}}
	for _, test := range []struct {
		r     ReadPreference
		wrong string
	}{
		{r: ReadPreference{}},
		{r: ReadPreference{TagSets: []TagSet{{}}}},
		{r: ReadPreference{TagSets: tags}, wrong: "primary takes no tag sets"},
		{r: ReadPreference{MaxStaleness: time.Hour}, wrong: "primary takes no maxStalenessSeconds"},
		{r: ReadPreference{Hedge: new(true)}, wrong: "primary takes no hedge"},
		{r: ReadPreference{MaxStaleness: -1}, wrong: "maxStaleness -1ns is negative"},
		{r: ReadPreference{Mode: Nearest, TagSets: tags, MaxStaleness: time.Hour, Hedge: new(true)}},
	} {
		checkError(t, test.r, test.r.Validate(), test.wrong)
	}
}

func TestMode(t *testing.T) {
	for m := Primary; m <= Nearest; m++ {
		for _, s := range []string{m.String(), strings.ToUpper(m.String())} {
			if got, err := ParseMode(s); err != nil || got != m {
				t.Errorf("%s is %v, %v", s, got, err)
			}
		}
	}
	if _, err := ParseMode("tertiary"); err == nil || !strings.Contains(err.Error(), `"tertiary" is not one of primary`) {
		t.Errorf("the error is %v", err)
	}
	if got := Mode(7).String(); got != "Mode(7)" {
		t.Errorf("an unknown mode is %q", got)
	}
}

func checkError(t *testing.T, value any, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%+v: the error is %v, wanted %q", value, err, want)
	}
}
