package spectests

import (
	"sync"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// entities are the objects and values of one test by their names. Threads of
// the test share them.
type entities struct {
	mu     sync.Mutex
	byName map[string]any
	order  []string
	// unnamed are cursors that were not saved.
	unnamed []*cursor
}

// The kinds of entities, beside clients, cursors, threads, BSON values
// (bson.RawValue) and topology descriptions.
type (
	database struct {
		*motor.Database
		client *client
	}
	collection struct {
		*motor.Collection[bson.Raw]
		client *client
	}
	session struct {
		*motor.Session
		client *client
		// lsid is kept beyond the end of the session.
		lsid bson.Raw
	}
)

// add stores an entity, which must be of a kind that the format knows, under a
// name that is not in use.
func (e *entities) add(name string, entity any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.byName[name]; ok {
		return malformedf("the entity %q exists already", name)
	}
	if e.byName == nil {
		e.byName = map[string]any{}
	}
	e.byName[name] = entity
	e.order = append(e.order, name)
	return nil
}

// replace stores a value whether or not the name is in use.
func (e *entities) replace(name string, v bson.RawValue) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byName == nil {
		e.byName = map[string]any{}
	}
	e.byName[name] = v
}

// settle turns what was collected in the course of the test into values.
func (e *entities) settle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, entity := range e.byName {
		if s, ok := entity.(*eventStore); ok {
			if v, err := bson.MarshalValue(s.events); err == nil {
				e.byName[name] = v
			}
		}
	}
}

// keep holds a cursor that has no name, for it to be closed in the end.
func (e *entities) keep(c *cursor) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unnamed = append(e.unnamed, c)
}

func (e *entities) kept() []*cursor {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.unnamed
}

func (e *entities) get(name string) (any, error) {
	if e == nil {
		return nil, malformedf("the entity %q is not defined", name)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	entity, ok := e.byName[name]
	if !ok {
		return nil, malformedf("the entity %q is not defined", name)
	}
	return entity, nil
}

// all are the entities of a type, the latest first.
func all[E any](e *entities) (list []E) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.order) - 1; i >= 0; i-- {
		if entity, ok := e.byName[e.order[i]].(E); ok {
			list = append(list, entity)
		}
	}
	return list
}

// lookup finds an entity of a type.
func lookup[E any](e *entities, name string) (entity E, err error) {
	found, err := e.get(name)
	if err != nil {
		return entity, err
	}
	entity, ok := found.(E)
	if !ok {
		return entity, malformedf("the entity %q is a %T instead of a %T", name, found, entity)
	}
	return entity, nil
}

// lookupName is lookup of the name in a value.
func lookupName[E any](e *entities, name bson.RawValue) (entity E, err error) {
	s, ok := name.Str()
	if !ok {
		return entity, malformedf("%v is not the name of an entity", name)
	}
	return lookup[E](e, s)
}
