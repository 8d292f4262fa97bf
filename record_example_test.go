package consent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A journal is a Recorder that prints. One to rely on writes to a disk.
type journal struct {
	print func(consent.Record)
	full  bool
}

func (j journal) Record(_ context.Context, record consent.Record) error {
	if j.full {
		return errors.New("the journal is full")
	}
	j.print(record)
	return nil
}

func (j journal) RecordLater(record consent.Record) { j.print(record) }

// recording saves a choice on record.
func recording(j journal, choice consent.Choice) {
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{secret}, Recorder: j})
	if err != nil {
		panic(err)
	}
	respond(mw, func(w http.ResponseWriter, r *http.Request) {
		err := mw.Save(w, r, choice)
		if errors.Is(err, consent.ErrNotRecorded) {
			// Nothing is allowed that was not before. Let the visitor try again.
			fmt.Println(err)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

func ExampleRecorder() {
	recording(journal{full: true}, consent.AcceptAll())
	// Output:
	// consent: the decision could not be recorded, and does not count as consent: the journal is full
}

func ExampleRecord() {
	recording(journal{print: func(record consent.Record) {
		fmt.Println(record.Answers, record.Objection)
	}}, consent.RefuseAll().WithObjection())
	// Output:
	// [{statistics Matomo false}] true
	// Set-Cookie: cookies_preferences
}

func ExampleAnswer() {
	recording(journal{print: func(record consent.Record) {
		for _, a := range record.Answers {
			fmt.Println(a.Provider, "for", a.Category, a.Allowed)
		}
	}}, consent.AcceptAll())
	// Output:
	// Matomo for statistics true
	// Set-Cookie: cookies_preferences
}

func ExampleEvidence() {
	asked := consent.Evidence{
		Action:   consent.ByBanner,
		Language: language.English,
		Notice:   registry.Notice(language.English, language.English, map[string]string{"banner": "May we count you?"}),
	}
	recording(journal{print: func(record consent.Record) {
		fmt.Println(record.Evidence.Action, record.Evidence.Language)
	}}, consent.AcceptAll().WithEvidence(asked))
	// Output:
	// banner en
	// Set-Cookie: cookies_preferences
}

func ExampleAction() {
	recording(journal{print: func(record consent.Record) {
		fmt.Println(record.Evidence.Action == consent.ByGPC)
	}}, consent.RefuseAll().WithEvidence(consent.Evidence{Action: consent.ByGPC}))
	// Output:
	// true
	// Set-Cookie: cookies_preferences
}

func ExampleReference() {
	reference, err := consent.ParseReference("6F1C0B5E9A7D4C2F8E3B1A0D9C8B7A65")
	fmt.Println(reference, err)
	_, err = consent.ParseReference("nobody")
	fmt.Println(err)
	// Output:
	// 6f1c0b5e9a7d4c2f8e3b1a0d9c8b7a65 <nil>
	// consent: a reference is 32 hexadecimal digits, not all zero
}

func ExampleNotice() {
	notice := registry.Notice(language.English, language.English, map[string]string{"banner": "May we count you?"})
	fmt.Printf("%.62s…\n", notice.Content())
	// Output:
	// {"language":"en","sentences":{"banner":"May we count you?"},"c…
}

func ExampleScreen() {
	asked := consent.Screen{
		Language: "en", Control: "banner", Pressed: "accept", Regime: consent.OptIn.String(), Host: "example.org",
		Lines: []consent.Line{{Text: "May we count you?"}, {Text: "Yes", As: consent.AsButton, Value: "accept"}, {Text: "No", As: consent.AsButton, Value: "refuse"}},
	}
	fmt.Printf("%.100s…\n", asked.Notice().Content())
	// Output:
	// {"version":1,"language":"en","control":"banner","pressed":"accept","regime":"opt-in","host":"example…
}

func ExampleLine() {
	asked := consent.Screen{Lines: []consent.Line{{Text: "May we count you?"}, {Text: "Yes", As: consent.AsButton, Value: "accept"}}}
	for _, line := range asked.Lines {
		fmt.Printf("%q %q\n", line.Text, line.Value)
	}
	// Output:
	// "May we count you?" ""
	// "Yes" "accept"
}

func ExampleLineAs() {
	for _, line := range []consent.Line{{Text: "Cookies", As: consent.AsHeading}, {Text: "May we count you?"}} {
		if line.As == consent.AsHeading {
			fmt.Println(line.Text)
		}
	}
	// Output: Cookies
}

func ExampleLayer() {
	asked := consent.Screen{Control: "banner", Layers: []consent.Layer{{Name: "settings", Path: "/cookies/#settings"}}}
	fmt.Println("from the", asked.Control, "to the", asked.Layers[0].Name)
	// Output: from the banner to the settings
}

func ExampleScreenCategory() {
	asked := consent.Screen{Categories: []consent.ScreenCategory{{Category: consent.Statistics, Providers: []string{"Matomo"}}}}
	fmt.Println(asked.Categories[0].Category, asked.Categories[0].Providers)
	// Output: statistics [Matomo]
}
