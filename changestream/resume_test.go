package changestream

import (
	"errors"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/wire"
)

func TestResumable(t *testing.T) {
	const old, labelling = 8, 9
	for name, c := range map[string]struct {
		err  error
		wire int32
		want bool
	}{
		"network":                    {&ops.ConnectionError{Network: true, Err: errors.New("reset")}, labelling, true},
		"no server selected":         {&ops.ConnectionError{Err: errors.New("none")}, labelling, false},
		"cursor not found":           {&wire.CommandError{Code: 43}, labelling, true},
		"cursor not found, old":      {&wire.CommandError{Code: 43}, old, true},
		"labelled":                   {&wire.CommandError{Code: 1, Labels: []string{resumableLabel}}, labelling, true},
		"new server without label":   {&wire.CommandError{Code: 11600}, labelling, false},
		"old server's code":          {&wire.CommandError{Code: 11600}, old, true},
		"old server's other code":    {&wire.CommandError{Code: 11601}, old, false},
		"old server, label unheeded": {&wire.CommandError{Code: 1, Labels: []string{resumableLabel}}, old, false},
		"history lost":               {&wire.CommandError{Code: 286}, labelling, false},
		"token missing":              {ErrNoToken, labelling, false},
		"wrapped":                    {errors.Join(errors.New("while reading"), &wire.CommandError{Code: 43}), labelling, true},
	} {
		if got := Resumable(c.err, c.wire); got != c.want {
			t.Errorf("%s: resumable is %v", name, got)
		}
	}
}

func token(s string) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendString(doc, "_data", s), at)
}

// The specification's table of where a stream resumes.
func TestPosition(t *testing.T) {
	asked, event, batch := token("asked"), token("event"), token("batch")
	opened, at := bson.Timestamp{T: 7}, bson.Timestamp{T: 3}
	const labelling = 9
	for name, c := range map[string]struct {
		start Start
		moves func(p Position) Position
		want  Start
	}{
		"nothing known": {
			moves: func(p Position) Position { return p.Opens(opened, labelling, 0, nil) },
			want:  Start{AtOperationTime: opened},
		},
		"nothing known, too old for operation times": {
			moves: func(p Position) Position { return p.Opens(opened, 6, 0, nil) },
		},
		"opened, and resumed without hearing of anything": {
			moves: func(p Position) Position {
				return p.Opens(opened, labelling, 0, nil).Opens(bson.Timestamp{T: 8}, labelling, 0, nil)
			},
			want: Start{AtOperationTime: opened},
		},
		"opened with documents": {
			moves: func(p Position) Position { return p.Opens(opened, labelling, 2, batch) },
		},
		"opened with a token": {
			moves: func(p Position) Position { return p.Opens(opened, labelling, 0, batch) },
			want:  Start{ResumeAfter: batch},
		},
		"asked for a time": {
			start: Start{AtOperationTime: at},
			moves: func(p Position) Position { return p.Opens(opened, labelling, 0, nil) },
			want:  Start{AtOperationTime: at},
		},
		"asked to resume": {
			start: Start{ResumeAfter: asked},
			moves: func(p Position) Position { return p.Opens(opened, labelling, 0, nil) },
			want:  Start{ResumeAfter: asked},
		},
		"asked to start after": {
			start: Start{After: asked},
			moves: func(p Position) Position { return p.Opens(opened, labelling, 0, nil) },
			want:  Start{After: asked},
		},
		"asked to start after, empty batches seen": {
			start: Start{After: asked},
			moves: func(p Position) Position { return p.Opens(opened, labelling, 0, nil).Batch(0, batch) },
			want:  Start{After: batch},
		},
		"asked to start after, event seen": {
			start: Start{After: asked},
			moves: func(p Position) Position { return p.Opens(opened, labelling, 1, batch).Event(event, batch, false) },
			want:  Start{ResumeAfter: event},
		},
		"asked for a time, event seen": {
			start: Start{AtOperationTime: at},
			moves: func(p Position) Position { return p.Opens(opened, labelling, 2, batch).Event(event, batch, false) },
			want:  Start{ResumeAfter: event},
		},
		"last event of a batch": {
			moves: func(p Position) Position { return p.Batch(1, batch).Event(event, batch, true) },
			want:  Start{ResumeAfter: batch},
		},
		"last event, server without batch tokens": {
			moves: func(p Position) Position { return p.Batch(1, nil).Event(event, nil, true) },
			want:  Start{ResumeAfter: event},
		},
		"empty batch without a token": {
			moves: func(p Position) Position { return p.Event(event, nil, true).Batch(0, nil) },
			want:  Start{ResumeAfter: event},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.moves(NewPosition(c.start)).Resume()
			if string(got.After) != string(c.want.After) || string(got.ResumeAfter) != string(c.want.ResumeAfter) || got.AtOperationTime != c.want.AtOperationTime {
				t.Errorf("resumes at %v, want %v", got, c.want)
			}
		})
	}
}

func TestFragmentsBecomeOneEvent(t *testing.T) {
	fragment := func(n, of int32, key, value string) (doc, split bson.Raw) {
		dst, at := bson.BeginDocument(nil)
		dst = bson.AppendString(dst, "_id", key)
		dst, inner := bson.BeginEmbedded(dst, "splitEvent")
		dst = bson.AppendInt32(bson.AppendInt32(dst, "fragment", n), "of", of)
		dst = bson.EndDocument(bson.AppendString(bson.EndDocument(dst, inner), key, value), at)
		split, _ = bson.Raw(dst).Lookup("splitEvent").Document()
		return dst, split
	}
	var j joiner
	for n, key := range []string{"a", "b", "c"} {
		done, err := j.add(fragment(int32(n+1), 3, key, "value"))
		if err != nil || done != (n == 2) {
			t.Fatalf("fragment %d: done %v, %v", n+1, done, err)
		}
	}
	event := j.event()
	if err := event.Validate(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range event.Keys() {
		keys = append(keys, key)
	}
	if id, _ := event.Lookup("_id").Str(); id != "c" || len(keys) != 4 || !event.Lookup("splitEvent").IsZero() {
		t.Errorf("the event is %v", event)
	}

	j = joiner{}
	if _, err := j.add(fragment(2, 3, "b", "value")); err == nil {
		t.Error("the second fragment was taken for the first")
	}
}
