package description

import "strings"

// defaultPort is the port of an address that names none.
const defaultPort = ":27017"

// Address is addr in the form in which addresses are compared: in lower case
// and with a port. The path of a Unix domain socket, which is what contains a
// slash, stays as it is.
func Address(addr string) string {
	if strings.Contains(addr, "/") {
		return addr
	}
	addr = strings.ToLower(addr)
	if addr == "" || strings.LastIndexByte(addr, ':') > strings.LastIndexByte(addr, ']') {
		return addr
	}
	return addr + defaultPort
}
