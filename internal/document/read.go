package document

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/language"
)

// A field is a field of a struct, as a document has it.
type field struct {
	name   string
	index  int
	always bool // is written without a value too; at the top it may not be missing
}

// A tag is what a language tag means, or why it means nothing.
type tag struct {
	tag language.Tag
	err error
}

var errTwice = errors.New("stands here twice")

// readAll reads the whole document into v.
func (d *Document) readAll(v reflect.Value) {
	d.value(v)
	if d.next(); !d.broken && d.at < len(d.data) {
		d.fail("the document has ended, and here is more")
	}
}

// value reads one value into v.
func (d *Document) value(v reflect.Value) {
	d.next() // so that d.at is where the value is
	switch v.Kind() {
	case reflect.Struct:
		d.object(v)
	case reflect.Map:
		if v.Type().Key() == reflect.TypeFor[language.Tag]() {
			d.text(v)
		} else {
			d.table(v)
		}
	case reflect.Slice:
		d.list(v)
	case reflect.Bool:
		if d.want("true or false") {
			v.SetBool(d.bool())
		}
	case reflect.String:
		if d.want("a text") {
			v.SetString(d.string())
		}
	case reflect.Int64: // time.Duration
		if start := d.at; d.want("a text") {
			lifetime, err := parseLifetime(d.string())
			d.check(start, err)
			v.SetInt(int64(lifetime))
		}
	case reflect.Uint8:
		d.oneOf(v)
	default: // reflect.Uint64
		if start := d.at; d.want("a number") {
			n, err := strconv.ParseUint(d.number(), 10, 64)
			if err != nil {
				err = fmt.Errorf("is no whole number from 0 to %d", uint64(1<<64-1))
			}
			d.check(start, err)
			v.SetUint(n)
		}
	}
}

// want reports whether a value of this kind comes next. It passes over any other.
func (d *Document) want(kind string) bool {
	got := d.kind()
	if got == kind {
		return true
	}
	d.check(d.at, fmt.Errorf("is %s and should be %s", got, kind))
	d.skip()
	return false
}

// check notes a mistake in the value itself, if there is one.
func (d *Document) check(offset int, err error) {
	if err != nil {
		d.mistake(offset, "%v", err)
		d.spoiled[string(d.path)] = true
	}
}

// within runs f with the path of what lies within the value here.
func (d *Document) within(name string, offset int, f func()) {
	length := len(d.path)
	if name[0] != '[' && length > 0 {
		d.path = append(d.path, '.')
	}
	d.path = append(d.path, name...)
	if _, wanted := d.found[string(d.path)]; wanted {
		d.found[string(d.path)] = offset
	}
	f()
	d.path = d.path[:length]
}

func (d *Document) object(v reflect.Value) {
	start := d.at
	if !d.want("an object") {
		return
	}
	fields := d.fieldsOf(v.Type())
	seen := make([]bool, len(fields))
	d.members(func(key string, offset int) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key })
		d.within(inPath(key), offset, func() {
			switch {
			case i < 0:
				d.mistake(offset, "is no field here; %s", Nearest(key, names(fields)))
				d.skip()
			case seen[i]:
				d.mistake(offset, "%v", errTwice)
				d.skip()
			default:
				seen[i] = true
				d.value(v.Field(fields[i].index))
			}
		})
	})
	for i, f := range fields {
		if f.always && !seen[i] && len(d.path) == 0 { // what a declaration lacks is for a registry to say
			d.mistake(start, "%q is missing", f.name)
		}
	}
}

func (d *Document) list(v reflect.Value) {
	if !d.want("a list") {
		return
	}
	d.elements(']', func(i int) {
		d.next()
		d.within("["+strconv.Itoa(i)+"]", d.at, func() {
			v.Grow(1)
			v.SetLen(i + 1)
			d.value(v.Index(i))
		})
	})
}

// table reads values under names that the document is free to choose.
func (d *Document) table(v reflect.Value) {
	if !d.want("an object") {
		return
	}
	table := reflect.MakeMap(v.Type())
	d.members(func(key string, offset int) {
		d.within(inPath(key), offset, func() {
			name := reflect.ValueOf(key).Convert(v.Type().Key())
			if table.MapIndex(name).IsValid() {
				d.mistake(offset, "%v", errTwice)
				d.skip()
				return
			}
			value := reflect.New(v.Type().Elem()).Elem()
			d.value(value)
			table.SetMapIndex(name, value)
		})
	})
	v.Set(table)
}

// text reads a text in several languages.
func (d *Document) text(v reflect.Value) {
	if got := d.kind(); got != "an object" {
		d.check(d.at, fmt.Errorf("is %s and should be an object with a text for each language, such as {\"en\": \"…\"}", got))
		d.skip()
		return
	}
	texts, before := make(map[language.Tag]string), len(d.mistakes)
	d.members(func(key string, offset int) {
		d.within(inPath(key), offset, func() {
			lang, err := d.language(key)
			if _, twice := texts[lang]; twice {
				err = errTwice
			}
			if err != nil {
				d.mistake(offset, "%v", err)
				d.skip()
			} else if d.want("a text") {
				texts[lang] = d.string()
			}
		})
	})
	if len(d.mistakes) > before {
		d.spoiled[string(d.path)] = true
	}
	if len(texts) > 0 {
		v.Set(reflect.ValueOf(texts).Convert(v.Type()))
	}
}

// language reads a language tag as it is written. A canonical form, such as "he" for
// "iw", would not be what the declarations in Go have.
func (d *Document) language(key string) (language.Tag, error) {
	read, known := d.tags[key]
	if !known {
		read.tag, read.err = language.Raw.Parse(key)
		if read.err != nil {
			read.err = fmt.Errorf(`is no language tag such as "fr" or "pt-BR" (%w)`, read.err)
		}
		d.tags[key] = read
	}
	return read.tag, read.err
}

// oneOf reads the name of a constant.
func (d *Document) oneOf(v reflect.Value) {
	start := d.at
	if !d.want("a text") {
		return
	}
	text, names := d.string(), constants(v.Type())
	i := slices.Index(names, text)
	if i < 0 {
		d.check(start, fmt.Errorf("%s is none of %s", shortened(text), strings.Join(names, ", ")))
		i = len(names) // which is no constant, so that no rule of one applies
	}
	v.SetUint(uint64(i))
}

// constants returns the names of a type's constants, which count from 0. Any other value
// has a String such as "Kind(9)".
func constants(t reflect.Type) (names []string) {
	for v := reflect.New(t).Elem(); ; v.SetUint(uint64(len(names))) {
		name := fmt.Sprint(v.Interface())
		if strings.HasPrefix(name, t.Name()+"(") {
			return names
		}
		names = append(names, name)
	}
}

// fieldsOf returns the fields of a struct.
func (d *Document) fieldsOf(t reflect.Type) []field {
	fields, known := d.fields[t]
	if !known {
		fields = fieldsOf(t)
		d.fields[t] = fields
	}
	return fields
}

func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		always := name != "" && options == ""
		fields = append(fields, field{cmp.Or(name, inJSON(f.Name)), i, always})
	}
	return fields
}

// inPath returns a key as paths have it: in quotation marks if it could be misread.
func inPath(key string) string {
	if key == "" || len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool {
		return r >= 0x7F || r != '-' && r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return shortened(key)
	}
	return key
}

// names returns those of fields.
func names(fields []field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

// Nearest says which of the names somebody may have meant who wrote this one: 'perhaps
// "path"', or 'there are path, domain' if it is like none of them.
func Nearest(written string, names []string) string {
	best, distance := "", len(written)/2+1
	for _, name := range names {
		if len(written) > 64 { // is no slip of a finger, and takes long to compare
			break
		}
		if n := edits(strings.ToLower(written), strings.ToLower(name)); n < distance {
			best, distance = name, n
		}
	}
	if best == "" {
		return "there are " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("perhaps %q", best)
}

// edits returns how many bytes have to be added, taken away or changed to make b of a
// (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
