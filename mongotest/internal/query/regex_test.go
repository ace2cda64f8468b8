package query

import (
	"fmt"
	"math/rand"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRegex(t *testing.T) {
	for _, test := range []struct {
		pattern, options, text string
		want                   string // the groups of the match, "-" for one that took no part; "none"
	}{
		{`a+b`, "", "xaab", "aab"},
		{`(a|ab)(c|bcd)(d*)`, "", "abcd", "abcd a bcd "},
		{`^.b$`, "", "éb", "éb"},
		{`a$`, "", "a\n", "a"},
		{`a\z`, "", "a\n", "none"},
		{`^b$`, "m", "a\nb\nc", "b"},
		{`a.c`, "", "a\nc", "none"},
		{`a.c`, "s", "a\nc", "a\nc"},
		{`a b # comment`, "x", "ab", "ab"},
		{`(?i)HELLO`, "", "hello", "hello"},
		{`(?i:h)E`, "", "he", "none"},
		{`ß`, "i", "ẞ", "ẞ"},
		{`[k-m]`, "i", "K", "K"}, // the Kelvin sign folds to k
		{`(?<year>\d{4})-\k<year>`, "", "2020-2020", "2020-2020 2020"},
		{`(a)?b\1`, "", "ab", "none"},
		{`(l)\1`, "", "hello", "ll l"},
		{`a(?=b)`, "", "acab", "a"},
		{`a(?!b)`, "", "abac", "a"},
		{`(?<=a|bc)d`, "", "xbcd", "d"},
		{`(?<!a)d`, "", "ad", "none"},
		{`(?>a*)ab`, "", "aaab", "none"},
		{`a*+b`, "", "aab", "aab"},
		{`a{2,3}?`, "", "aaaa", "aa"},
		{`x{,3}`, "", "x{,3}", "x{,3}"},
		{`[]a]+`, "", "a]b", "a]"},
		{`[^\d\s]+`, "", "1 ab", "ab"},
		{`[[:alpha:]_]+`, "", "1a_é", "a_"},
		{`\p{Lu}\P{Lu}`, "", "aÉa", "Éa"},
		{`\Qa.b\E+`, "", "a.bbb", "a.b"},
		{`\x41\x{e9}\t`, "", "Aé\t", "Aé\t"},
		{`\bw\B`, "", "aw wx", "w"},
		{`a\Rb`, "", "a\r\nb", "a\r\nb"},
		{`(?#comment)a`, "", "a", "a"},
		{`(a*)*`, "", "b", " "},
		{`(?:a|b)*?c`, "", "abac", "abac"},
		{`[a-\d]`, "", "-", "-"},
		{`\h\v`, "", " \n", " \n"},
		{`(a)\g{-1}\g1`, "", "aaa", "aaa a"},
		{`\101\cA\e\a\f`, "", "A\x01\x1b\a\f", "A\x01\x1b\a\f"},
		{`[\b\x{41}-C[:punct:][:^space:]]{4}`, "", "\bB!z", "\bB!z"},
		{`(?<=(?:ab){2}[cd]\b)-`, "", "xababc-", "-"},
		{`(?>(?=a)a)\Gb`, "", "ab", "none"},
	} {
		r, err := compileRegex(test.pattern, test.options, testEnv(4, 4))
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		m, err := r.find(test.text, 0)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
		}
		got := "none"
		if m != nil {
			var groups []string
			for i := 0; i < len(m); i += 2 {
				if m[i] < 0 {
					groups = append(groups, "-")
				} else {
					groups = append(groups, test.text[m[i]:m[i+1]])
				}
			}
			got = strings.Join(groups, " ")
		}
		if got != test.want {
			t.Errorf("%s in %q: %q, want %q", test.pattern, test.text, got, test.want)
		}
	}
}

func TestRegexErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		`(`: "missing )", `)`: "unmatched parentheses", `*a`: "nothing to repeat", `[a`: "missing terminating ] for character class",
		`[b-a]`: "range out of order in character class", `a{3,1}`: "numbers out of order in {} quantifier", `a\`: `\ at end of pattern`,
		`(?<a>x)(?<a>y)`: "two named subpatterns have the same name", `\2(a)`: "reference to non-existent subpattern",
		`(?<=a*)b`: "lookbehind assertion is not fixed length", `(?z)`: "unrecognized character after (? or (?-",
		`[[:nope:]]`: "unknown POSIX class name", `\p{Nope}`: `unknown property name after \P or \p`,
		strings.Repeat("(", 300): "parentheses are too deeply nested", strings.Repeat("a", 40_000): "regular expression is too large",
		`a` + strings.Repeat("?", 1000): "parentheses are too deeply nested",
	} {
		_, err := compileRegex(pattern, "", testEnv(4, 4))
		if err == nil || err.Error() != "Regular expression is invalid: "+want || err.(*Error).Code != 51091 {
			t.Errorf("%.20s: %v, want %s", pattern, err, want)
		}
	}
	if _, err := compileRegex("a", "z", testEnv(4, 4)); err != nil {
		t.Errorf("4.4 ignores unknown options: %v", err)
	}
	if _, err := compileRegex("a", "z", testEnv(6, 1)); err == nil || err.(*Error).Code != 51108 {
		t.Errorf("6.1 refuses unknown options: %v", err)
	}
}

// TestRegexIsBounded tries what would take a backtracking engine forever, and
// what would take a recursive one all memory.
func TestRegexIsBounded(t *testing.T) {
	start := time.Now()
	for _, test := range []struct{ pattern, text string }{
		{`(a+)+$`, strings.Repeat("a", 40) + "b"},
		{`(a|a)*b`, strings.Repeat("a", 100)},
		{`(?:ab?)*c`, strings.Repeat("a", 1_000_000)},
		{`(.*)(.*)(.*)(.*)(.*)x`, strings.Repeat("a", 1000)},
	} {
		r, err := compileRegex(test.pattern, "", testEnv(4, 4))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.find(test.text, 0); err == nil || err.(*Error).Code != 51156 {
			t.Errorf("%s ends with %v", test.pattern, err)
		}
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("that took %s", d)
	}
}

// TestRegexAgainstStandardLibrary holds random patterns, as far as both know
// them, against the engine of the standard library.
func TestRegexAgainstStandardLibrary(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	var pattern func(depth int) string
	pattern = func(depth int) string {
		switch n := r.Intn(12); {
		case depth > 3 || n < 4:
			return []string{"a", "b", "é", "."}[n%4]
		case n < 6:
			return pattern(depth+1) + pattern(depth+1)
		case n == 6:
			return "(" + pattern(depth+1) + "|" + pattern(depth+1) + ")"
		case n == 7:
			return "(?:" + pattern(depth+1) + ")" + []string{"?", "{0,2}", "{1,2}?", "{2}"}[r.Intn(4)]
		case n == 8:
			return []string{"a*", "b+", "[ab]*?", "[^a]", `\w+?`, ".{1,3}"}[r.Intn(6)]
		case n == 9:
			return "(" + pattern(depth+1) + ")"
		case n == 10:
			return []string{"^", `\b`, `\B`, `\A`, `\z`}[r.Intn(5)]
		}
		return "[a-é]"
	}
	compared := 0
	for range 20_000 {
		p := pattern(0)
		std, err := regexp.Compile(p)
		if err != nil {
			continue
		}
		own, err := compileRegex(p, "", testEnv(4, 4))
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		s := ""
		for range r.Intn(8) {
			s += []string{"a", "b", "é", "\n", " "}[r.Intn(5)]
		}
		got, err := own.find(s, 0)
		if err != nil {
			t.Fatalf("%s in %q: %v", p, s, err)
		}
		want := std.FindStringSubmatchIndex(s)
		// In repeated groups the two keep different captures.
		if strings.Contains(p, "(?:") && len(want) > 2 {
			got, want = got[:min(2, len(got))], want[:2]
		}
		if fmt.Sprint(got) != fmt.Sprint(want) && !slices.Equal(got, want) {
			t.Fatalf("%s in %q: %v, want %v", p, s, got, want)
		}
		compared++
	}
	if compared < 10_000 {
		t.Errorf("only %d patterns were compared", compared)
	}
}
