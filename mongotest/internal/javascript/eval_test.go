package javascript

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
)

func document(t *testing.T, text string) bson.RawValue {
	t.Helper()
	doc, err := bson.ParseExtJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: doc}
}

func TestCall(t *testing.T) {
	this := document(t, `{"a": 1, "b": {"c": [1, 2, 3]}, "s": "Tor", "n": null, "id": {"$oid": "0102030405060708090a0b0c"}}`)
	for code, want := range map[string]string{
		`this.a + 1`:                         `2.0`,
		`obj.b.c.length`:                     `3.0`,
		`return this.s + "!"`:                `"Tor!"`,
		`function() { return this.b.c[1]; }`: `2.0`,
		`function f(x) { return f2(x); function f2(y) { return typeof y } }`: `"undefined"`,
		`() => this.a`: `1.0`,
		`var s = 0; for (var i = 0; i < 10; i++) { if (i % 2) continue; if (i > 6) break; s += i } s`: `12.0`,
		`var s = ''; for (var k in this) s += k + ','; s`:                                             `"a,b,s,n,id,"`,
		`let s = 0; for (const x of this.b.c) s += x; s`:                                              `6.0`,
		`var i = 5, n = 0; while (i-- > 0) { ++n } n`:                                                 `5.0`,
		`this.b.c.map(x => x * 2).filter((x) => x > 2).reduce((a, b) => a + b)`:                       `10.0`,
		`[3, 1, 2].sort().concat([4], 5).join('-')`:                                                   `"1-2-3-4-5"`,
		`[10, 9, 1].sort(function (a, b) { return a - b }).slice(1)`:                                  `[9.0,10.0]`,
		`({a: 1, 'b': [true, null], c: undefined, this_: this.n})`:                                    `{"a":1.0,"b":[true,null],"this_":null}`,
		`this.missing === undefined && this.n == undefined && this.n !== undefined`:                   `true`,
		`this.missing ? 1 : this.n ?? 'none'`:                                                         `"none"`,
		`1 + 2 * 3 ** 2 - 7 % 4`:                                                                      `16.0`,
		`'1' + 1 + (1 - '1')`:                                                                         `"110"`,
		`(5 & 3) | (1 << 4) ^ 2`:                                                                      `19.0`,
		`1 < 2 && 'a' < 'b' && !(2 <= 1) && 3 >= 3 && 'x' != 'y'`:                                     `true`,
		`Math.max(1, Math.floor(2.7), Math.abs(-3)) + Array.sum([1, 2])`:                              `6.0`,
		`Object.keys({x: 1, y: 2})`:                                                                   `["x","y"]`,
		`this.id`:                                                                                     `{"$oid":"0102030405060708090a0b0c"}`,
		`this.s.toUpperCase().substring(1) + this.s[0] + this.s.indexOf('r') + "\u00e4\n".length`:     `"ORT22"`,
		`var o = {}; o.x = [1]; o.x[2] = 3; o['y'] = o.x.length; o /* a comment */ // and another`:    `{"x":[1.0,null,3.0],"y":3.0}`,
		`'a' in {a: 1} && !('b' in {a: 1}) && {a: 1}.hasOwnProperty('a')`:                             `true`,
		`sleep(1) || true`: `true`,
		`if (this.a > 1) { return 'more' } else if (this.a == 1) return 'one'; else return 'less'`: `"one"`,
	} {
		f, err := Compile(code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		got, err := f.Call(t.Context(), Env{}, this)
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, want %s", code, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for code, want := range map[string]string{
		`return (`:                         "SyntaxError: unexpected end of the code at 8",
		`1 = 2`:                            "SyntaxError: unexpected = at 2",
		`"open`:                            "SyntaxError: unterminated string",
		`#`:                                "SyntaxError: illegal character",
		`/* open`:                          "SyntaxError: unterminated comment",
		`nothing.here`:                     "ReferenceError: nothing is not defined",
		`this.missing.deeper`:              "TypeError: undefined has no properties",
		`this.f()`:                         "TypeError: this.f is not a function",
		`throw 'up'`:                       "uncaught exception: up",
		`emit(1, 2)`:                       "ReferenceError: emit is not defined",
		`function f() { return f() }; f()`: "too much recursion",
		`[].reduce((a, b) => a)`:           "no initial value",
		`var a = []; a[1e9] = 1`:           "invalid array length",
		strings.Repeat("(", 1e6):           "nested too deeply",
	} {
		f, err := Compile(code)
		if err == nil {
			_, err = f.Call(t.Context(), Env{}, document(t, `{}`))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", code, err, want)
		}
	}
}

func TestEmit(t *testing.T) {
	f, err := Compile(`function() { for (var i in this.tags) emit(this.tags[i], {n: factor}) }`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	env := Env{
		Emit:  func(k, v bson.RawValue) { got = append(got, fmt.Sprint(k, v)) },
		Scope: document(t, `{"factor": 2}`).Value,
	}
	_, err = f.Call(t.Context(), env, document(t, `{"tags": ["a", "b"]}`))
	if want := `["a" {"n":2.0} "b" {"n":2.0}]`; err != nil || fmt.Sprint(got) != want {
		t.Errorf("emitted %v, %v, want %s", got, err, want)
	}
}

// An endless program ends with its context.
func TestEndless(t *testing.T) {
	for _, code := range []string{"while (true) {}", "sleep(1e9)"} {
		f, err := Compile(code)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err = f.Call(ctx, Env{}, bson.RawValue{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", code, err)
		}
		cancel()
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("function(a, b) { return a.b[1] + `x` }")
	f.Add("for (var i = 0; i < 3; i++) { x => x }")
	f.Fuzz(func(t *testing.T, code string) {
		compiled, err := Compile(code)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		compiled.Call(ctx, Env{}, bson.RawValue{})
	})
}
