package mongod

import (
	"context"
	"sync"
	"time"

	"github.com/motor-go/motor/mongotest/internal/storage"
)

// A Link is the network between a server and its clients. It outlives the
// server. The zero Link lets everything through at once.
type Link struct {
	changed storage.Broadcast

	mu         sync.Mutex
	deaf, mute bool
	delay      time.Duration
	cuts       []int
}

// SetDeaf holds back what clients send, or lets it through again.
func (l *Link) SetDeaf(deaf bool) { l.set(&l.deaf, deaf) }

// SetMute holds back what the server sends, or lets it through again.
func (l *Link) SetMute(mute bool) { l.set(&l.mute, mute) }

func (l *Link) set(direction *bool, held bool) {
	l.mu.Lock()
	*direction = held
	l.mu.Unlock()
	l.changed.Notify()
}

// SetDelay makes all that the server sends arrive that much later.
func (l *Link) SetDelay(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = d
}

// Cut breaks the connections of the next replies, each after so many bytes.
func (l *Link) Cut(bytes []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts = bytes
}

// receive waits until what a client has sent comes through.
func (l *Link) receive(ctx context.Context) error { return l.pass(ctx, &l.deaf) }

// send waits until what the server sends comes through.
func (l *Link) send(ctx context.Context) error {
	l.mu.Lock()
	delay := l.delay
	l.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return l.pass(ctx, &l.mute)
}

func (l *Link) pass(ctx context.Context, held *bool) error {
	for {
		changed := l.changed.Wait()
		l.mu.Lock()
		wait := *held
		l.mu.Unlock()
		if !wait {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takeCut says whether a reply is to be cut off, and after how many bytes.
func (l *Link) takeCut() (bytes int, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.cuts) == 0 {
		return 0, false
	}
	bytes, l.cuts = l.cuts[0], l.cuts[1:]
	return bytes, true
}
