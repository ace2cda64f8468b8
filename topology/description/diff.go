package description

// Changes is what differs between two descriptions of a topology.
type Changes struct {
	// Added and Removed are servers in one description alone.
	Added, Removed []Server
	// Changed are the servers in both that are not Equal.
	Changed []ServerChange
	// Topology says that the descriptions are not equal as the specification
	// sees it: there are changes of servers, or of the topology's own fields.
	Topology bool
}

// ServerChange is a server before and after.
type ServerChange struct{ Old, New Server }

// Diff tells the changes that lead from one description to another.
func Diff(from, to Topology) Changes {
	var c Changes
	for _, s := range to.Servers {
		if before, ok := from.Server(s.Addr); !ok {
			c.Added = append(c.Added, s)
		} else if !before.Equal(s) {
			c.Changed = append(c.Changed, ServerChange{before, s})
		}
	}
	for _, s := range from.Servers {
		if _, ok := to.Server(s.Addr); !ok {
			c.Removed = append(c.Removed, s)
		}
	}
	c.Topology = len(c.Added) > 0 || len(c.Removed) > 0 || len(c.Changed) > 0 ||
		from.Type != to.Type || from.SetName != to.SetName ||
		from.MaxElectionID != to.MaxElectionID || from.MaxSetVersion != to.MaxSetVersion ||
		errorText(from.CompatibilityError) != errorText(to.CompatibilityError) ||
		from.LogicalSessionTimeoutMinutes != to.LogicalSessionTimeoutMinutes
	return c
}
