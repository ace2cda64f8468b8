package event

import "unicode/utf8"

// Truncate cuts s off after n bytes, or before the character that would be cut
// in two, as logs and traces show documents (command-logging-and-monitoring).
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
