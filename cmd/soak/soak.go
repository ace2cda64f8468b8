package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/event"
)

// config says how to soak.
type config struct {
	lasts, every time.Duration
	goroutines   int
	seed         uint64
	kinds        []kind       // of failovers, in turn
	say          func(sample) // is told of every sample; nil for nobody

	// planted are scenarios beside the others that are to make the soak fail.
	planted []scenario
}

// rate is how many scenarios a second there are, as far as the machine can.
// A machine that can do nothing else elects new primaries by itself.
const rate = 1000

// pause is what a worker waits for, in the mean, between two scenarios.
func (c *config) pause() time.Duration { return time.Second * time.Duration(c.goroutines) / rate }

// sessions is how many sessions the servers may know of in the end. A goroutine
// needs one for what it does and one for its stream. A command without an answer
// spoils its session, which is then not used again; the servers keep it for half
// an hour. Each of the nodes may have seen all of them.
func (r *report) sessions() int {
	const nodes, perGoroutine = 3, 2
	return nodes * (perGoroutine*r.config.goroutines + int(r.unanswered.Load()))
}

// poolSize is maxPoolSize, small enough that goroutines wait for connections.
const poolSize = 32

// reaction is how long it takes the driver to notice that a server does not
// answer any more.
const (
	connectTimeout     = 2 * time.Second
	heartbeatFrequency = 500 * time.Millisecond
	reaction           = connectTimeout + heartbeatFrequency
)

// soak lets the workload run while one failover follows the other.
func soak(ctx context.Context, c config) (*report, error) {
	d, err := startDeployment()
	if err != nil {
		return nil, err
	}
	defer d.stop()
	r := &report{config: c, before: runtime.NumGoroutine()}
	var s sockets
	client, err := motor.Connect(ctx, fmt.Sprintf("%s&w=majority&readConcernLevel=majority&maxPoolSize=%d&connectTimeoutMS=%d&heartbeatFrequencyMS=%d",
		d.uri, poolSize, connectTimeout.Milliseconds(), heartbeatFrequency.Milliseconds()),
		motor.ClientOptions{Dial: s.dial, Observer: &event.Observer{CommandFailed: r.observe, ServerDescriptionChanged: r.plan.observe}})
	if err != nil {
		return nil, err
	}
	all := collectionsOf(client)
	r.work = newWorkload(all, &r.plan)
	err = all.prepare(ctx, c.goroutines)
	if err == nil {
		working, stop := context.WithCancel(ctx)
		r.work.run(working, c)
		err = r.watch(ctx, d, client, &s)
		stop()
		r.work.wg.Wait()
	}
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		r.balance, err = all.balance(ctx)
	}
	err = errors.Join(err, client.Close(ctx))
	r.afterwards, r.socketsLeft = settled(&s, r.before)
	return r, err
}

// watch has failovers happen and takes samples until the time is over.
func (r *report) watch(ctx context.Context, d *deployment, client *motor.Client, s *sockets) error {
	random := rand.New(rand.NewPCG(r.config.seed, 1<<32))
	start := r.work.start
	for n := 0; time.Since(start) < r.config.lasts && ctx.Err() == nil; n++ {
		k := r.config.kinds[n%len(r.config.kinds)]
		lasts := time.Duration(random.Int64N(int64(r.config.every) / 4))
		if k == isolate {
			// Long enough for the driver to notice by itself.
			lasts = min(reaction+lasts/2, 3*r.config.every/5)
		}
		r.plan.begin(k)
		if err := d.failOver(k, lasts); err != nil {
			return err
		}
		r.plan.end()
		select {
		case <-time.After(time.Until(start.Add(time.Duration(n+1) * r.config.every))):
		case <-ctx.Done():
		}
		var now sample
		var err error
		r.work.atRest(func() { now, err = d.take(client, s) })
		if err != nil {
			return err
		}
		now.at = time.Since(start)
		r.samples = append(r.samples, now)
		if r.config.say != nil {
			r.config.say(now)
		}
	}
	r.took = time.Since(start)
	return ctx.Err()
}

// observe counts the commands that got no answer.
func (r *report) observe(e *event.CommandFailed) {
	if errors.As(e.Failure, new(*motor.ConnectionError)) {
		r.unanswered.Add(1)
	}
}

// settled are the goroutines and sockets that are left of a closed client, when
// those have ended that may take a moment.
func settled(s *sockets, before int) (goroutines, left int) {
	for range 500 {
		goroutines, left = runtime.NumGoroutine(), int(s.open.Load())
		if goroutines <= before && left == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return goroutines, left
}

// balance is what all accounts hold together.
func (c *collections) balance(ctx context.Context) (sum int, err error) {
	list, err := c.accounts.Find(ctx, nil).Slice()
	for _, a := range list {
		sum += a.Amount
	}
	return sum, err
}
