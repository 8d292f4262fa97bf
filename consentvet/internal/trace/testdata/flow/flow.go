// Package flow says of strings what is known of them. Each call of is is held
// against what package trace finds: the first argument may be just the others,
// in which a '*' stands for what is computed.
package flow

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func is(string, ...string) {}

// What is written down.

const constant = "constant"

var (
	variable   = "variable"
	reassigned = "first"
	exported   = os.Getenv("NAME")
)

func init() { reassigned = "second" }

type name string

func written() {
	is("literal", "literal")
	is(constant, "constant")
	is(constant+"_id", "constant_id")
	is(variable, "variable")
	is(reassigned, "first", "second")
	is(exported, "*")
	is(string(name("typed")), "typed")

	local := "before"
	if len(os.Args) > 1 {
		local = "after"
	}
	is(local, "before", "after", "behind") // in whichever order things happen

	var later string
	switch len(os.Args) {
	case 1:
		later = "one"
	case 2:
		later = "two"
	}
	is(later, "", "one", "two")

	pointer := &local
	*pointer = "behind"

	var boxed any = "boxed"
	is(boxed.(string), "boxed")
	if s, ok := boxed.(string); ok {
		is(s, "boxed")
	}
}

// What is computed.

func computed(r *http.Request) {
	is(r.FormValue("name"), "*")
	is("user_"+r.FormValue("id"), "user_*")
	is(r.Host+"_id", "*_id")
	is("a_"+r.Host+r.FormValue("id")+"_z", "a_*_z")
	is("a_"+r.Host+"_m_"+r.Host, "a_*_m_*")
	is(fmt.Sprintf("_ga_%s", r.Host), "_ga_*")
	is(fmt.Sprintf("%04d-%[2]s_100%%", 1, r.Host), "*-*_100%")
	is(fmt.Sprintf(r.Host, 1), "*")
	is(fmt.Sprint("a"), "a")
	is(strings.ToLower("A"), "a")
	is(string([]byte("bytes")), "bytes")

	dashes := ""
	for range 3 {
		dashes += "-"
	}
	is(dashes, "", "-", "*-")

	either, or := "a", "x"
	if r.Host == "" {
		either, or = "b", "y"
	}
	is(either+or, "ax", "ay", "bx", "by")
}

// Parameters, results, methods and closures.

func parameter(s string) { is(s, "one", "two") }

func twoParameters(prefix, suffix string) { is(prefix+"_"+suffix, "a_x", "b_y") }

func deep(s string) { deeper(s) }

func deeper(s string) { is(s, "deep", "deeper") }

func used(s string) { is(s, "*", "directly") }

func never(s string) { is(s, "*") }

func recursive(s string, n int) {
	is(s, "start", "again")
	if n > 0 {
		recursive("again", n-1)
		recursive(s, n-1)
	}
}

func result(ok bool) string {
	if ok {
		return "yes"
	}
	return "no"
}

func results() (string, error) { return "first of two", nil }

func named() (s string) {
	s = "named"
	return
}

func countdown(n int) string {
	if n == 0 {
		return "zero"
	}
	return countdown(n - 1)
}

type greeter struct{ greeting string }

func (g greeter) greet(whom string) { is(g.greeting+whom, "hello_world", "hello_all") }

func (g *greeter) wave(whom string) { is(whom, "hand", "flag") }

func (g *greeter) bow(whom string) { is(whom, "*", "low") }

type waver interface{ wave(string) }

func generic[T ~string](s T) T {
	is(string(s), "generic", "general") // of two instances
	return s
}

func calls() {
	parameter("one")
	defer parameter("two")
	twoParameters("a", "x")
	go twoParameters("b", "y")
	deep("deep")
	deeper("deeper")
	used("directly")
	_ = []func(string){used}
	recursive("start", 3)

	is(result(true), "yes", "no")
	s, _ := results()
	is(s, "first of two")
	is(named(), "named")
	is(countdown(3), "zero")
	is(string(generic(name("generic"))), "generic")
	generic("general")

	g := &greeter{greeting: "hello_"}
	g.greet("world")
	greeter{}.greet("all")
	g.wave("hand")
	waver(g).wave("flag")
	g.bow("low")
	_ = []func(string){g.bow}

	captured := "captured"
	closure := func(s string) {
		is(s, "in a closure")
		is(captured, "captured", "changed")
	}
	closure("in a closure")
	captured = "changed"

	escaping := func(s string) { is(s, "*", "once") }
	escaping("once")
	_ = append([]func(string){}, escaping)

	pick := func() string { return "picked" }
	if len(os.Args) > 1 {
		pick = func() string { return "chosen" }
	}
	is(pick(), "picked", "chosen")
	if len(os.Args) > 2 {
		pick = os.TempDir
	}
	is(pick(), "picked", "chosen", "*")
}

// Fields, elements and maps.

type options struct{ name, other string }

type list struct {
	name string
	next *list
}

var table = []struct{ name, title string }{
	{name: "row one", title: "One"},
	{"row two", "Two"},
}

func kept() {
	o := options{name: "field"}
	o.other = "other"
	is(o.name, "field", "behind a pointer")
	is(o.other, "other")
	p := &options{}
	p.name = "behind a pointer"
	is(func() options { return *p }().name, "field", "behind a pointer")

	for _, row := range table {
		is(row.name, "row one", "row two")
	}
	for i := range table {
		is(table[i].title, "One", "Two")
	}
	for _, s := range []string{"a", "b"} {
		is(s, "a", "b")
	}
	for _, s := range [...]string{"c", "d"} {
		is(s, "c", "d")
	}
	more := append([]string{"e"}, "f")
	more = append(more, constant)
	is(more[0], "e", "f", "constant")
	made := make([]string, 2)
	made[0], made[1] = "g", "h"
	is(made[0], "g", "h")
	part := made[1:]
	is(part[0], "g", "h")

	m := map[string]string{"key": "value"}
	m["other key"] = "other value"
	is(m["key"], "value", "other value")
	if s, ok := m["key"]; ok {
		is(s, "value", "other value")
	}
	for k, v := range m {
		is(k, "key", "other key")
		is(v, "value", "other value")
	}
	is(os.Args[0], "*")

	for l := (&list{name: "head", next: &list{name: "tail"}}); l != nil; l = l.next {
		is(l.name, "head", "tail")
	}
}

// Structs of other packages are told apart.

var global = http.Cookie{Name: "global"}

type holder struct{ cookie http.Cookie }

func rename(c *http.Cookie) { c.Name = "renamed" }

func build(name string) *http.Cookie { return &http.Cookie{Name: name} }

// So are maps of other packages' types, which others fill too.

func header() {
	h := http.Header{"Key": {"value"}}
	is(h["Key"][0], "*")
	for key := range h {
		is(key, "*")
	}
}

func foreign(r *http.Request, given *http.Cookie) {
	a, b := &http.Cookie{Name: "a"}, http.Cookie{Name: "b"}
	is(a.Name, "a")
	is(b.Name, "b")
	is(global.Name, "global")
	is(given.Name, "*")
	is((&http.Cookie{Name: a.Name}).Name, "a")

	c := b
	c.Name = "c"
	is(c.Name, "b", "c")

	d := new(http.Cookie)
	rename(d)
	is(d.Name, "renamed")
	is(build("e").Name, "e", "fourth", "*") // the calls of a function are not told apart

	h := holder{cookie: http.Cookie{Name: "held"}}
	is(h.cookie.Name, "held", "put")
	h.cookie = http.Cookie{Name: "put"}

	for _, each := range []http.Cookie{{Name: "first"}, {Name: "second"}} {
		is(each.Name, "first", "second")
	}
	for _, each := range []*http.Cookie{{Name: "third"}, build("fourth")} {
		is(each.Name, "third", "e", "fourth", "*")
	}
	for _, each := range r.Cookies() {
		is(each.Name, "*")
		copied := *each
		is(copied.Name, "*")
	}
	server := http.Server{Addr: "address"}
	server.Protocols = new(http.Protocols)
	is(server.Addr, "address")
	for given != nil {
		given = build(given.Name)
		is(given.Name, "e", "fourth", "*")
	}
}
