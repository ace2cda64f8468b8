package query

import "testing"

func TestCodeNames(t *testing.T) {
	old, modern := Version{Major: 4, Minor: 2}, Version{Major: 8}
	for _, test := range []struct {
		code int32
		v    Version
		want string
	}{
		{2, old, "BadValue"},
		{58, modern, "RoleModificationFailed"},
		{80, modern, "RoleDataInconsistent"},
		{334, modern, "MechanismUnavailable"},
		{338, modern, "ReshardCollectionInProgress"},
		{10107, old, "NotMaster"},
		{10107, modern, "NotWritablePrimary"},
		{40415, old, "Location40415"},
		{40415, modern, "IDLUnknownField"},
		{15952, modern, "Location15952"},
	} {
		if got := CodeName(test.code, test.v); got != test.want {
			t.Errorf("%d in %v: %s, want %s", test.code, test.v, got, test.want)
		}
	}
}
