package spectests

// Lane is the deployments of one topology, on which tests run one after the
// other. Lanes may run side by side.
type Lane struct {
	Topology string

	deployments *Deployments
	// first says that this lane names the tests that no lane runs.
	first bool
}

// Lanes are one for each topology there are deployments of.
func (d *Deployments) Lanes() (lanes []*Lane) {
	for i, topology := range d.Topologies() {
		lanes = append(lanes, &Lane{topology, d, i == 0})
	}
	return lanes
}
