package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/motor-go/motor/bson"
)

func TestPage(t *testing.T) {
	coll := newCollection(t)
	f := newFeed(t, coll, 10)
	for _, writable := range []bool{true, false} {
		s := httptest.NewServer(newHandler(f, coll, writable))
		defer s.Close()
		for path, contentType := range map[string]string{
			"/": "text/html; charset=utf-8", "/web/page.js": "text/javascript; charset=utf-8",
			"/web/style.css": "text/css; charset=utf-8", "/web/icon.svg": "image/svg+xml",
		} {
			res, err := http.Get(s.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != contentType || len(body) == 0 {
				t.Errorf("%s: %s, %s", path, res.Status, res.Header.Get("Content-Type"))
			}
			if !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'self'") {
				t.Errorf("%s: Content-Security-Policy %q", path, res.Header.Get("Content-Security-Policy"))
			}
			if path != "/" {
				continue
			}
			if strings.Contains(string(body), `id="write"`) != writable || !strings.Contains(string(body), "changes.TestPage") {
				t.Errorf("writable %v: page %s", writable, body)
			}
		}
		res, err := http.PostForm(s.URL+"/documents", url.Values{"do": {"delete"}, "key": {"1"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if want := map[bool]int{true: 204, false: 404}[writable]; res.StatusCode != want {
			t.Errorf("writable %v: the form answers %s", writable, res.Status)
		}
	}
}

func TestForm(t *testing.T) {
	coll := newCollection(t)
	s := httptest.NewServer(newHandler(newFeed(t, coll, 10), coll, true))
	defer s.Close()
	post := func(origin string, values ...string) (int, string) {
		form := url.Values{}
		for i, name := range []string{"do", "key", "field", "value"}[:len(values)] {
			form.Set(name, values[i])
		}
		r, err := http.NewRequest("POST", s.URL+"/documents", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	for _, test := range []struct {
		origin string
		values []string
		status int
		docs   string
	}{
		{s.URL, []string{"set", "7", "color", "red"}, 204, `[{"_id":7,"color":"red"}]`},
		{s.URL, []string{"set", "7", "n", "1.5"}, 204, `[{"_id":7,"color":"red","n":1.5}]`},
		{s.URL, []string{"set", `{"$gt":1}`, "n", "2"}, 422, `[{"_id":7,"color":"red","n":1.5}]`},
		{s.URL, []string{"set", "7", "$x", "2"}, 422, `[{"_id":7,"color":"red","n":1.5}]`},
		{s.URL, []string{"set", "7", "x", strings.Repeat("x", 65<<10)}, 400, `[{"_id":7,"color":"red","n":1.5}]`},
		{"http://elsewhere.example", []string{"delete", "7"}, 403, `[{"_id":7,"color":"red","n":1.5}]`},
		{s.URL, []string{"delete", "7"}, 204, `[]`},
	} {
		status, body := post(test.origin, test.values...)
		if status != test.status || (status >= 400) != (body != "") {
			t.Errorf("%q: %d: %s, want %d", test.values, status, body, test.status)
		}
		list, err := coll.Find(t.Context(), nil).Slice()
		if err != nil {
			t.Fatal(err)
		}
		docs := []string{}
		for _, doc := range list {
			docs = append(docs, doc.String())
		}
		if got := "[" + strings.Join(docs, ",") + "]"; got != test.docs {
			t.Errorf("%q: documents %s, want %s", test.values, got, test.docs)
		}
	}
}

func TestWebSocket(t *testing.T) {
	coll := newCollection(t)
	s := httptest.NewServer(newHandler(newFeed(t, coll, 10), coll, true))
	defer s.Close()
	address := "ws" + strings.TrimPrefix(s.URL, "http") + "/changes"
	_, res, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"http://elsewhere.example"}}})
	if err == nil || res.StatusCode != 403 {
		t.Errorf("from elsewhere: %v, %v", res, err)
	}
	conn, _, err := websocket.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	next := func() (m message) {
		t.Helper()
		_, text, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := next(); m.Token == "" || len(m.Changes) > 0 || m.Gap {
		t.Errorf("first message %+v", m)
	}
	if _, err := coll.InsertOne(t.Context(), raw(t, bson.D{{Key: "_id", Value: "<b>"}, {Key: "x", Value: 1}})); err != nil {
		t.Fatal(err)
	}
	if m := next(); len(m.Changes) != 1 || m.Changes[0].Op != "insert" || m.Changes[0].Key != `"<b>"` || len(m.Changes[0].Fields) != 1 {
		t.Errorf("second message %+v", m)
	}
}
