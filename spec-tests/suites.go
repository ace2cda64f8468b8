package spectests

// Suites are all the suites there are, by name.
var Suites = []Suite{}
