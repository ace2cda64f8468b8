package concern_test

import (
	"fmt"
	"time"

	"github.com/motor-go/motor/concern"
)

// A write with w: 0 is not answered, so that it cannot have a journal confirm it.
func ExampleWriteConcern_Validate() {
	unacknowledged := concern.WriteConcern{W: 0}
	fmt.Println(unacknowledged.Acknowledged(), unacknowledged.Validate())
	unacknowledged.Journal = new(true)
	fmt.Println(unacknowledged.Validate() != nil)
	// Output:
	// false <nil>
	// true
}

// A member near Berlin if there is one, or else any that is not too old.
func ExampleReadPreference() {
	p := concern.ReadPreference{
		Mode:         concern.SecondaryPreferred,
		TagSets:      []concern.TagSet{{{Name: "city", Value: "Berlin"}}, {}},
		MaxStaleness: 2 * time.Minute,
	}
	fmt.Println(p.Mode, p.Validate())
	// The primary is the only one of its kind: there is nothing to choose from.
	p.Mode = concern.Primary
	fmt.Println(p.Mode, p.Validate() != nil)
	// Output:
	// secondaryPreferred <nil>
	// primary true
}

func ExampleParseMode() {
	mode, err := concern.ParseMode("nearest")
	fmt.Println(mode == concern.Nearest, err)
	// Output: true <nil>
}

// What is not set is left to the server.
func ExampleReadConcern() {
	fmt.Println(concern.ReadConcern{}.IsDefault(), concern.ReadConcern{Level: "majority"}.IsDefault())
	fmt.Println(concern.WriteConcern{}.IsDefault(), concern.WriteConcern{W: "majority"}.IsDefault())
	// Output:
	// true false
	// true false
}
