package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor"
)

// feed keeps the last changes of a collection for pages that come later, and
// tells those that are there of each new one. One change stream feeds them all.
// A page that has missed more than is kept gets a stream of its own, until it
// has caught up.
type feed struct {
	coll *collection
	keep int

	mu    sync.Mutex
	kept  []change
	first int64  // the number of kept[0]; changes are numbered from 0
	token string // up to where the deployment was read
	news  chan struct{}
}

// message is what a page is told. The changes are in order; Token stands for
// where they end, so that the page can ask for what comes after.
type message struct {
	Changes []change `json:"changes,omitempty"`
	Token   string   `json:"token"`
	// Gap says that changes before these are not to be had any more.
	Gap bool `json:"gap,omitempty"`
}

// heartbeat is how often a page hears something even if nothing happens.
const heartbeat = 10 * time.Second

// startFeed opens the stream, and reads it until ctx ends.
func startFeed(ctx context.Context, coll *collection, keep int) (*feed, error) {
	f := &feed{coll: coll, keep: max(keep, 1), news: make(chan struct{})}
	open := make(chan error, 1)
	go f.run(ctx, open)
	select {
	case err := <-open:
		if err != nil {
			return nil, err
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run reads the collection's changes, again and again after errors. The first
// outcome goes to open; if that is an error, run ends.
func (f *feed) run(ctx context.Context, open chan<- error) {
	const pause = time.Second
	opened := false
	for ctx.Err() == nil {
		for p, err := range watch(ctx, f.coll, f.token) {
			if err == nil {
				f.advance(p)
			}
			if !opened {
				open <- err
				if opened = true; err != nil {
					return
				}
			}
			if err == nil {
				continue
			}
			if ctx.Err() == nil {
				slog.WarnContext(ctx, "the change stream broke off", "error", err)
			}
			if lost(err) {
				f.forget()
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// lost reports whether there is no going on from a token: the oplog does not
// reach back so far, or the token comes from elsewhere.
func lost(err error) bool {
	const failedToParse, invalidResumeToken, changeStreamFatalError, changeStreamHistoryLost = 9, 260, 280, 286
	var command *motor.CommandError
	return errors.Is(err, errBadToken) || errors.As(err, &command) &&
		slices.Contains([]int32{failedToParse, invalidResumeToken, changeStreamFatalError, changeStreamHistoryLost}, command.Code)
}

// advance takes up how far the stream has come.
func (f *feed) advance(p position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token = p.token
	if p.change == nil {
		return
	}
	if f.kept = append(f.kept, *p.change); len(f.kept) > f.keep {
		f.kept = f.kept[1:]
		f.first++
	}
	close(f.news)
	f.news = make(chan struct{})
}

// forget lets the stream start anew, now. Pages learn of the gap.
func (f *feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first += int64(len(f.kept)) + 1
	f.kept, f.token = nil, ""
}

// find is the number of the change that follows the token, if that is known
// here. An empty token stands for as far back as there is.
func (f *feed) find(token string) (n int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if token == "" {
		return f.first, true
	}
	if token == f.token {
		return f.first + int64(len(f.kept)), true
	}
	i := slices.IndexFunc(f.kept, func(c change) bool { return c.Token == token })
	return f.first + int64(i) + 1, i >= 0
}

// from is what there is from change n on, and a channel that is closed when
// there is more. It reports false if change n is not kept any more.
func (f *feed) from(n int64) (m message, news <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < f.first {
		return m, nil, false
	}
	return message{Changes: f.kept[n-f.first:], Token: f.token}, f.news, true
}

// follow sends all changes after the token, and then each new one. It ends with
// an error, of send among others.
func (f *feed) follow(ctx context.Context, token string, send func(message) error) error {
	tell := func(m message) error {
		if m.Token != "" {
			token = m.Token // so far the page has come
		}
		return send(m)
	}
	n, ok := f.find(token)
	for {
		if !ok {
			var err error
			if n, err = f.catchUp(ctx, token, tell); err != nil {
				return err
			}
		}
		var m message
		var news <-chan struct{}
		if m, news, ok = f.from(n); !ok {
			continue
		}
		if err := tell(m); err != nil {
			return err
		}
		n += int64(len(m.Changes))
		select {
		case <-news:
		case <-time.After(heartbeat):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// catchUp sends what follows the token from a change stream of its own, until
// it meets the feed, and returns the number of the feed's next change. If the
// deployment does not have the changes any more, that is said.
func (f *feed) catchUp(ctx context.Context, token string, tell func(message) error) (int64, error) {
	for p, err := range watch(ctx, f.coll, token) {
		if lost(err) {
			n, _ := f.find("")
			return n, tell(message{Gap: true})
		}
		if err != nil {
			return 0, err
		}
		m := message{Token: p.token}
		if p.change != nil {
			m.Changes = []change{*p.change}
		}
		if err := tell(m); err != nil {
			return 0, err
		}
		if n, ok := f.find(p.token); ok {
			return n, nil
		}
	}
	return 0, ctx.Err()
}
