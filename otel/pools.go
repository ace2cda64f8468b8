package otel

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/motor-go/motor/event"
)

// pools are the instruments that measure connection pools.
type pools struct {
	count, most, least, pending metric.Int64UpDownCounter
	timeouts                    metric.Int64Counter
	create, wait, use           metric.Float64Histogram

	options sync.Map // string, the address, to event.PoolOptions
	ready   sync.Map // connection to time.Time, when it was checked out
}

type connection struct {
	address string
	id      int64
}

// maker makes instruments and keeps the first error.
type maker struct {
	metric.Meter
	err error
}

func (m *maker) upDown(name, unit, description string) metric.Int64UpDownCounter {
	i, err := m.Int64UpDownCounter("db.client.connection."+name, metric.WithUnit(unit), metric.WithDescription(description))
	m.err = errors.Join(m.err, err)
	return i
}

func (m *maker) seconds(name, description string) metric.Float64Histogram {
	i, err := m.Float64Histogram("db.client.connection."+name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10))
	m.err = errors.Join(m.err, err)
	return i
}

// poolObserver is an Observer that measures connection pools by the semantic
// conventions for database clients.
func poolObserver(meter metric.Meter) (*event.Observer, error) {
	m := maker{Meter: meter}
	p := &pools{
		count:   m.upDown("count", "{connection}", "Connections that are in the state that the attribute says"),
		most:    m.upDown("max", "{connection}", "The maximum number of connections"),
		least:   m.upDown("idle.min", "{connection}", "The number of connections that are kept open"),
		pending: m.upDown("pending_requests", "{request}", "Requests that wait for a connection"),
		create:  m.seconds("create_time", "The time that it took to create a connection"),
		wait:    m.seconds("wait_time", "The time that it took to get a connection from the pool"),
		use:     m.seconds("use_time", "The time between borrowing a connection and returning it"),
	}
	var err error
	p.timeouts, err = meter.Int64Counter("db.client.connection.timeouts", metric.WithUnit("{timeout}"),
		metric.WithDescription("Requests that got no connection in time"))
	if err = errors.Join(m.err, err); err != nil {
		return nil, err
	}
	return &event.Observer{
		PoolCreated:               p.created,
		PoolClosed:                p.closed,
		ConnectionReady:           p.connectionReady,
		ConnectionClosed:          p.connectionClosed,
		ConnectionCheckOutStarted: func(e *event.ConnectionCheckOutStarted) { p.pending.Add(background, 1, of(e.Address)) },
		ConnectionCheckOutFailed:  p.checkOutFailed,
		ConnectionCheckedOut:      p.checkedOut,
		ConnectionCheckedIn:       p.checkedIn,
	}, nil
}

var background = context.Background()

// of are the attributes of what is measured of a pool.
func of(address string, more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(more, attribute.String("db.client.connection.pool.name", address))...)
}

var (
	idle = attribute.String("db.client.connection.state", "idle")
	used = attribute.String("db.client.connection.state", "used")
)

func (p *pools) created(e *event.PoolCreated) {
	p.options.Store(e.Address, e.Options)
	p.resize(e.Address, e.Options, 1)
}

func (p *pools) closed(e *event.PoolClosed) {
	if o, ok := p.options.LoadAndDelete(e.Address); ok {
		p.resize(e.Address, o.(event.PoolOptions), -1)
	}
}

func (p *pools) resize(address string, o event.PoolOptions, sign int64) {
	p.most.Add(background, sign*int64(o.MaxPoolSize), of(address))
	p.least.Add(background, sign*int64(o.MinPoolSize), of(address))
}

func (p *pools) connectionReady(e *event.ConnectionReady) {
	p.ready.Store(connection{e.Address, e.ConnectionID}, time.Time{})
	p.create.Record(background, e.Duration.Seconds(), of(e.Address))
	p.count.Add(background, 1, of(e.Address, idle))
}

// connectionClosed follows the check-in of a connection that was checked out.
func (p *pools) connectionClosed(e *event.ConnectionClosed) {
	if _, ok := p.ready.LoadAndDelete(connection{e.Address, e.ConnectionID}); ok {
		p.count.Add(background, -1, of(e.Address, idle))
	}
}

func (p *pools) checkOutFailed(e *event.ConnectionCheckOutFailed) {
	p.pending.Add(background, -1, of(e.Address))
	if e.Reason == event.ReasonTimeout {
		p.timeouts.Add(background, 1, of(e.Address))
	}
}

func (p *pools) checkedOut(e *event.ConnectionCheckedOut) {
	p.ready.Store(connection{e.Address, e.ConnectionID}, time.Now())
	p.pending.Add(background, -1, of(e.Address))
	p.wait.Record(background, e.Duration.Seconds(), of(e.Address))
	p.count.Add(background, -1, of(e.Address, idle))
	p.count.Add(background, 1, of(e.Address, used))
}

func (p *pools) checkedIn(e *event.ConnectionCheckedIn) {
	since, ok := p.ready.Load(connection{e.Address, e.ConnectionID})
	if !ok {
		return
	}
	p.use.Record(background, time.Since(since.(time.Time)).Seconds(), of(e.Address))
	p.count.Add(background, -1, of(e.Address, used))
	p.count.Add(background, 1, of(e.Address, idle))
}
