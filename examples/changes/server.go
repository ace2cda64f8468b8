package main

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

//go:embed web
var web embed.FS

var index = template.Must(template.ParseFS(web, "web/index.html"))

// newHandler serves the page, its WebSocket and, if writable, its form.
func newHandler(f *feed, coll *collection, writable bool) http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err)
	}
	page := struct {
		Namespace string
		Writable  bool
	}{coll.Database().Name() + "." + coll.Name(), writable}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		index.Execute(w, page)
	})
	mux.Handle("GET /web/", http.StripPrefix("/web", http.FileServerFS(files)))
	mux.HandleFunc("GET /changes", f.serveWebSocket)
	if writable {
		mux.Handle("POST /documents", http.NewCrossOriginProtection().Handler(form{coll}))
	}
	return headers(mux)
}

// headers forbids the page whatever does not come from here, scripts above all.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// serveWebSocket sends a page what comes after the resume token in the URL.
func (f *feed) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	const patience = 10 * time.Second
	conn, err := websocket.Accept(w, r, nil) // from this origin alone
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(r.Context())
	f.follow(ctx, r.FormValue("after"), func(m message) error {
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return conn.Write(ctx, websocket.MessageText, text)
	})
	conn.Close(websocket.StatusGoingAway, "")
}

// form writes to the collection what a visitor has typed.
type form struct{ coll *collection }

func (f form) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 64 << 10
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$eq", Value: value(r.PostForm.Get("key"))}}}}
	var err error
	if r.PostForm.Get("do") == "delete" {
		_, err = f.coll.DeleteOne(r.Context(), filter)
	} else {
		set := bson.D{{Key: "$set", Value: bson.D{{Key: r.PostForm.Get("field"), Value: value(r.PostForm.Get("value"))}}}}
		_, err = f.coll.UpdateOne(r.Context(), filter, set, motor.UpdateOptions{Upsert: true})
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// value is what the text means in Extended JSON, such as 7 or {"$oid": "…"}, or
// the text itself.
func value(text string) any {
	var doc struct{ V any }
	if bson.UnmarshalExtJSON([]byte(`{"v":`+text+`}`), &doc) == nil && text != "" {
		return doc.V
	}
	return text
}
