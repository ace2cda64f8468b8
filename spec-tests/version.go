package spectests

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is the version of a server or of the test format: major, minor and
// patch.
type Version [3]int

// ParseVersion reads one to three numbers with dots between. What follows the
// third, as in 4.9.0-alpha4, does not count.
func ParseVersion(s string) (v Version, err error) {
	numbers, _, _ := strings.Cut(s, "-")
	parts := strings.Split(numbers, ".")
	for i, p := range parts[:min(len(parts), len(v))] {
		if v[i], err = strconv.Atoi(p); err != nil || v[i] < 0 {
			return Version{}, fmt.Errorf("version %q: %q is not a number", s, p)
		}
	}
	return v, nil
}

// Compare orders versions.
func (v Version) Compare(w Version) int { return slices.Compare(v[:], w[:]) }

// Within reports whether v is not less than low and not greater than high.
// The zero Version bounds nothing.
func (v Version) Within(low, high Version) bool {
	return v.Compare(low) >= 0 && (high == Version{} || v.Compare(high) <= 0)
}

// String is the version with its patch level, as in 8.0.0.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// UnmarshalText is ParseVersion.
func (v *Version) UnmarshalText(text []byte) (err error) {
	*v, err = ParseVersion(string(text))
	return err
}
