package document

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Write writes a struct as [Read] reads it. The error names a text that is not UTF-8, since
// JSON holds no other.
func Write(from any) ([]byte, error) {
	var w writer
	w.value(reflect.ValueOf(from), "")
	return w.json, w.err
}

type writer struct {
	json []byte
	err  error // about the first text that is not UTF-8
}

func (w *writer) value(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Struct:
		w.object(v, path)
	case reflect.Map:
		w.text(v, path)
	case reflect.Slice:
		w.json = append(w.json, '[')
		for i := range v.Len() {
			w.comma()
			w.value(v.Index(i), path+"["+strconv.Itoa(i)+"]")
		}
		w.json = append(w.json, ']')
	case reflect.Bool:
		w.json = strconv.AppendBool(w.json, v.Bool())
	case reflect.String:
		w.string(v.String(), path)
	case reflect.Int64:
		w.string(formatLifetime(time.Duration(v.Int())), path)
	case reflect.Uint8:
		w.string(fmt.Sprint(v.Interface()), path)
	default: // reflect.Uint64
		w.json = strconv.AppendUint(w.json, v.Uint(), 10)
	}
}

func (w *writer) object(v reflect.Value, path string) {
	w.json = append(w.json, '{')
	for _, f := range fieldsOf(v.Type()) {
		value := v.Field(f.index)
		empty := value.IsZero() || (value.Kind() == reflect.Map || value.Kind() == reflect.Slice) && value.Len() == 0
		if empty && !f.always {
			continue
		}
		w.key(f.name)
		w.value(value, strings.TrimPrefix(path+"."+f.name, "."))
	}
	w.json = append(w.json, '}')
}

// text writes a text in the alphabetical order of its languages.
func (w *writer) text(v reflect.Value, path string) {
	texts := make(map[string]string, v.Len())
	for i := v.MapRange(); i.Next(); {
		texts[i.Key().Interface().(language.Tag).String()] = i.Value().String()
	}
	w.json = append(w.json, '{')
	for _, tag := range slices.Sorted(maps.Keys(texts)) {
		w.key(tag)
		w.string(texts[tag], path+"."+tag)
	}
	w.json = append(w.json, '}')
}

// comma separates what comes next from what stands before it.
func (w *writer) comma() {
	if last := w.json[len(w.json)-1]; last != '{' && last != '[' {
		w.json = append(w.json, ',')
	}
}

func (w *writer) key(name string) {
	w.comma()
	w.string(name, "")
	w.json = append(w.json, ':')
}

func (w *writer) string(s, path string) {
	if !utf8.ValidString(s) && w.err == nil {
		w.err = fmt.Errorf("consent: %s: %q is not UTF-8, and JSON holds nothing else", path, s)
	}
	quoted, _ := json.Marshal(s) // a string has no error
	w.json = append(w.json, quoted...)
}
