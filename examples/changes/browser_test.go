package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

var screenshot = flag.String("screenshot", "", "where to put a picture of the page, as a PNG `file`")

// TestBrowsers drives the page in a headless browser.
func TestBrowsers(t *testing.T) {
	browser := startBrowser(t)
	coll := newCollection(t)
	h := newHandler(newFeed(t, coll, 50), coll, true)
	straight, shaky := listen(t, h), listen(t, h)
	first, second := browser.open(t, straight.url()), browser.open(t, shaky.url())
	first.awaitStatus(t, "live")
	second.awaitStatus(t, "live")

	// One is cut off, and misses many more changes than are kept.
	insert(t, coll, 0, 100)
	second.awaitChanges(t, 100)
	shaky.cut()
	insert(t, coll, 100, 400)
	second.awaitStatus(t, "reconnecting")
	shaky.mend()
	insert(t, coll, 400, 500)
	want := make([]string, 500)
	for i := range want {
		want[i] = fmt.Sprint(499 - i)
	}
	for name, p := range map[string]*page{"the first": first, "the second": second} {
		p.awaitChanges(t, 500)
		if got := p.texts(t, "#changes .key"); !slices.Equal(got, want) {
			t.Errorf("%s shows %d changes: %v", name, len(got), got)
		}
		p.awaitStatus(t, "live")
	}

	// Who comes later sees the last ones that are kept, and filters them.
	late := browser.open(t, straight.url())
	late.awaitChanges(t, 50)
	if got := late.texts(t, "#changes .key"); !slices.Equal(got, want[:50]) {
		t.Errorf("the late one shows %v", got)
	}
	late.filter(t, "square247009") // 497²
	if got := late.texts(t, "#changes li:not([hidden]) .key"); !slices.Equal(got, []string{"497"}) {
		t.Errorf("filtered: %v", got)
	}
	late.filter(t, " ")
	late.do(t, chromedp.Click("#filter [value=insert]"))
	late.await(t, `document.querySelector("#count").textContent == "0 of 50 changes"`)
	late.do(t, chromedp.Click("#filter [value=insert]"))

	// Text never becomes markup, wherever in a document it stands.
	const script = `<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">`
	if _, err := coll.InsertOne(t.Context(), raw(t, bson.D{{Key: "_id", Value: script}, {Key: script, Value: script}})); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*page{first, second, late} {
		p.await(t, `document.querySelector("#changes dt").textContent.startsWith("<script>window.hacked = 1</script><img")`)
		p.await(t, `document.querySelector("#changes .key").textContent.startsWith("\"<script>window.hacked = 1</script><img")`)
		p.await(t, `document.querySelector("#changes dd").textContent.startsWith("\"<script>window.hacked = 1</script><img")`)
		p.await(t, `document.querySelectorAll("#changes script, #changes img").length == 0 && window.hacked === undefined`)
	}

	// The form writes, and what it writes comes back.
	late.write(t, "set", "1000", "color", "red")
	late.write(t, "set", "1000", "size", `{"w": 1}`)
	late.write(t, "delete", "1000", "size", "1")
	for _, p := range []*page{first, second, late} {
		p.await(t, `document.querySelector("#changes .op").textContent == "delete"`)
		if got := p.texts(t, "#changes li:nth-child(-n+3) .op, #changes li:nth-child(-n+3) dd"); !slices.Equal(got, []string{
			"delete", "update", `{"w":1}`, "insert", `"red"`,
		}) {
			t.Errorf("the form's changes: %q", got)
		}
	}
	late.submit(t, "set", "1000", "$bad", "x")
	late.await(t, `document.querySelector("#write output").textContent.includes("$bad")`)

	// It fits on a phone.
	late.do(t, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	late.await(t, `innerWidth == 360 && document.documentElement.scrollWidth <= 360`)
}

// TestScreenshot takes a picture of what a visitor may see, and keeps it where
// -screenshot says.
func TestScreenshot(t *testing.T) {
	browser := startBrowser(t)
	coll := motor.CollectionOf[bson.Raw](newCollection(t).Database().Client().Database("demo"), "things")
	p := browser.open(t, listen(t, newHandler(newFeed(t, coll, 50), coll, true)).url())
	p.do(t, chromedp.EmulateViewport(900, 800, chromedp.EmulateScale(1.5)))
	p.awaitStatus(t, "live")
	p.write(t, "set", "1", "color", "red")
	p.write(t, "set", "1", "size", `{"w": 3, "h": 4}`)
	id := bson.NewObjectID()
	points := bson.A{bson.D{{Key: "x", Value: 0}, {Key: "y", Value: 0}}, bson.D{{Key: "x", Value: 3}, {Key: "y", Value: 0}}, bson.D{{Key: "x", Value: 3}, {Key: "y", Value: 4}}}
	_, inserted := coll.InsertOne(t.Context(), raw(t, bson.D{{Key: "_id", Value: id}, {Key: "name", Value: "triangle"}, {Key: "points", Value: points}}))
	_, updated := coll.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "points.1.y", Value: 5}, {Key: "moved", Value: true}}}, {Key: "$unset", Value: bson.D{{Key: "name", Value: ""}}}})
	_, replaced := coll.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: 1}}, raw(t, bson.D{{Key: "color", Value: "<b>blue</b>"}}))
	if err := errors.Join(inserted, updated, replaced); err != nil {
		t.Fatal(err)
	}
	p.awaitChanges(t, 5)
	p.write(t, "delete", "1", "color", "red")
	p.do(t, chromedp.Sleep(2*time.Second)) // until nothing is highlighted any more
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(shot))
	if err != nil || picture.Width != 1350 {
		t.Fatalf("the picture is no PNG of 1350 pixels: %v", err)
	}
	if *screenshot == "" {
		return
	}
	if err := os.WriteFile(*screenshot, shot, 0o644); err != nil {
		t.Fatal(err)
	}
}

// browser is a headless Chromium.
type browser struct{ ctx context.Context }

// startBrowser starts the one that is installed.
func startBrowser(t *testing.T) browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("SKIPPED: no Chromium is installed (apt-get install chromium), so nobody looks at the page")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox is not for root
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return browser{ctx}
}

// page is a tab with the page in it.
type page struct{ ctx context.Context }

func (b browser) open(t *testing.T, url string) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return &page{ctx}
}

// patience is how long a page may take for anything.
const patience = 20 * time.Second

func (p *page) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// await waits until an expression is true.
func (p *page) await(t *testing.T, expression string) {
	t.Helper()
	poll := chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience))
	if _, err := chromedp.Run(p.ctx, poll); err != nil {
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 2000)`))
		t.Fatalf("%s: %v; the page shows\n%s", expression, err, text)
	}
}

func (p *page) awaitChanges(t *testing.T, n int) {
	t.Helper()
	p.await(t, fmt.Sprintf(`document.querySelectorAll("#changes li").length >= %d`, n))
}

func (p *page) awaitStatus(t *testing.T, status string) {
	t.Helper()
	p.await(t, fmt.Sprintf(`document.querySelector("#status").textContent == %q`, status))
}

// texts are those of the elements that match a selector, from top to bottom.
func (p *page) texts(t *testing.T, selector string) []string {
	t.Helper()
	texts, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](
		fmt.Sprintf(`[...document.querySelectorAll(%q)].map((element) => element.textContent)`, selector)))
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func (p *page) filter(t *testing.T, text string) {
	t.Helper()
	p.do(t, chromedp.Clear("#filter [name=text]"), chromedp.SendKeys("#filter [name=text]", text))
}

// submit fills in the form and sends it.
func (p *page) submit(t *testing.T, do, key, field, value string) {
	t.Helper()
	p.do(t, chromedp.SetValue("#write [name=key]", key), chromedp.SetValue("#write [name=field]", field),
		chromedp.SetValue("#write [name=value]", value), chromedp.Click("#write [value="+do+"]"))
}

// write is submit that waits for the change.
func (p *page) write(t *testing.T, do, key, field, value string) {
	t.Helper()
	n := len(p.texts(t, "#changes li"))
	p.submit(t, do, key, field, value)
	p.awaitChanges(t, n+1)
}

// listener is a network that can be cut.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

func listen(t *testing.T, h http.Handler) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cut := &listener{Listener: l}
	s := &http.Server{Handler: h}
	go s.Serve(cut)
	t.Cleanup(func() { s.Close() })
	return cut
}

func (l *listener) url() string { return "http://" + l.Addr().String() + "/" }

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		down := l.down
		l.conns = append(l.conns, c)
		l.mu.Unlock()
		if !down {
			return c, nil
		}
		c.Close()
	}
}

// cut breaks all connections and takes no new ones.
func (l *listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *listener) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}
