package motor

import "context"

// ListIndexNames is the names of the collection's indexes.
func (c *Collection[T]) ListIndexNames(ctx context.Context, opts ...ListIndexesOptions) ([]string, error) {
	names := []string{}
	for index, err := range c.ListIndexes(ctx, opts...) {
		if err != nil {
			return nil, err
		}
		names = append(names, index.Name)
	}
	return names, nil
}
