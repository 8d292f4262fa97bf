package ledger_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/internal/dpv"
)

// issuer answers for the site of the tests.
func issuer(t testing.TB) ledger.Issuer {
	t.Helper()
	file, err := os.Open("testdata/controller.json")
	require.NoError(t, err)
	defer file.Close()
	read, err := ledger.ReadIssuer(file)
	require.NoError(t, err)
	return read
}

// answered is a decision on statistics and advertising, at a minute of a day.
func answered(r consent.Reference, minute int, regime consent.Regime, statistics, advertising bool) consent.Record {
	record := consent.Record{
		Reference: r, Time: time.Date(2026, 3, 31, 12, minute, 0, 0, time.UTC), Regime: regime,
		Answers: []consent.Answer{
			{Category: consent.Advertising, Provider: "AdCo", Allowed: advertising},
			{Category: consent.Statistics, Provider: "Matomo", Allowed: statistics},
		},
		Evidence: consent.Evidence{Action: consent.ByBanner, Language: language.French},
	}
	record.Evidence.Notice = consent.Screen{Language: "fr", Control: "banner", Pressed: "save", Regime: regime.String(), Lines: []consent.Line{{Text: "Acceptez-vous ?"}}}.Notice()
	return record
}

// A graph is what a test reads of an export or a receipt.
type graph struct {
	Type    string         `json:"@type"`
	Nodes   []consentNode  `json:"@graph"`
	Records []consentNode  `json:"dpv:hasRecordOfActivity"`
	Context map[string]any `json:"@context"`
}

type consentNode struct {
	ID           string   `json:"@id"`
	Type         string   `json:"@type"`
	Name         string   `json:"dpv:hasName"`
	Replaces     string   `json:"dct:replaces"`
	Jurisdiction []string `json:"dpv:hasJurisdiction"`
	Subject      struct {
		Identifier string `json:"dct:identifier"`
	} `json:"dpv:hasDataSubject"`
	Notices []struct {
		ID         string `json:"@id"`
		Identifier string `json:"dct:identifier"`
		Language   string `json:"dct:language"`
	} `json:"dpv:hasNotice"`
	Processes []struct {
		Description string `json:"dct:description"`
		LegalBasis  string `json:"dpv:hasLegalBasis"`
		Involvement string `json:"dpv:hasEntityInvolvement"`
		Purpose     struct {
			Title   string   `json:"dct:title"`
			Broader []string `json:"skos:broader"`
		} `json:"dpv:hasPurpose"`
		Status *struct {
			Type   []string `json:"@type"`
			Time   string   `json:"dpv:isIndicatedAtTime"`
			Method string   `json:"dpv:hasIndicationMethod"`
		} `json:"dpv:hasConsentStatus"`
	} `json:"dpv:hasProcess"`
}

// status returns the status of each process, in short.
func (n *consentNode) status() (all []string) {
	for _, p := range n.Processes {
		if p.Status == nil {
			all = append(all, "none")
			continue
		}
		all = append(all, strings.TrimPrefix(strings.Join(p.Status.Type, " "), "dpv:"))
	}
	return all
}

// exportedRecords returns the consent records of an export, and the document.
func exportedRecords(t testing.TB, l *ledger.Ledger, period ledger.Period) (records []consentNode, document []byte) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, l.ExportReceipts(context.Background(), &b, issuer(t), period, nil))
	return consentRecords(t, b.Bytes()), b.Bytes()
}

func consentRecords(t testing.TB, document []byte) (records []consentNode) {
	t.Helper()
	var read graph
	require.NoError(t, json.Unmarshal(document, &read), "%s", document)
	for _, n := range append(read.Nodes, read.Records...) {
		if n.Type == "dpv:ConsentRecord" {
			records = append(records, n)
		}
	}
	return records
}

// receipt returns what a visitor gets.
func receipt(t testing.TB, l *ledger.Ledger, visitor consent.Reference) []byte {
	t.Helper()
	receipts, err := l.Receipts(issuer(t))
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, receipts.WriteReceipt(context.Background(), &b, visitor))
	return b.Bytes()
}

// A checked document is what a processor of JSON-LD and a validator of shapes have found.
type checkedDocument struct {
	Records, Receipts int
	Names, Faults     []string
}

// validated takes documents to a processor of JSON-LD and to the shapes of the guide.
func validated(t testing.TB, documents ...[]byte) (all []checkedDocument) {
	t.Helper()
	folder := filepath.Join("..", "dev", "receipts")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("the processor is not installed, see npm ci --prefix dev/receipts: %v", err)
	}
	command := exec.Command("node", filepath.Join(folder, "validate.mjs"))
	command.Stdin = strings.NewReader("[" + string(bytes.Join(documents, []byte(","))) + "]")
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	require.NoError(t, err, "CI=true asks for node, and for npm ci --prefix dev/receipts: %s", &complaint)
	require.NoError(t, json.Unmarshal(out, &all), "%s", out)
	require.Len(t, all, len(documents))
	return all
}

// unknownNames returns the names of the vocabulary that it does not have.
func unknownNames(names []string) (unknown []string) {
	for _, name := range names {
		for _, of := range []struct{ iri, prefix string }{{"https://w3id.org/dpv#", "dpv:"}, {"https://w3id.org/dpv/pd#", "pd:"}, {"https://w3id.org/dpv/loc#", "loc:"}} {
			if rest, is := strings.CutPrefix(name, of.iri); is && dpv.KindOf(of.prefix+rest) == "" {
				unknown = append(unknown, name)
			}
		}
	}
	return unknown
}

func TestReceiptsAreWhatTheGuideAsksFor(t *testing.T) {
	l := begin(t, lite(t))
	a, b := visitor(), visitor()
	for minute, regime := range []consent.Regime{consent.OptIn, consent.UK, consent.OptOut, consent.NoRegime} {
		keep(t, l, answered(a, 2*minute, regime, true, true))
		keep(t, l, answered(a, 2*minute+1, regime, false, minute%2 == 0))
	}
	objects := answered(b, 1, consent.OptIn, false, true)
	objects.Objection = true
	objects.Evidence = consent.Evidence{Action: consent.ByObjection, Language: language.French}
	keep(t, l, objects)
	nothing := answered(b, 2, consent.OptIn, false, false)
	nothing.Answers = nil
	keep(t, l, nothing)
	own := answered(b, 3, consent.OptIn, true, true)
	own.Answers = []consent.Answer{{Category: "a-b-testing", Provider: "Ville de <Lyon> & \"Cie\""}}
	own.Evidence.Action = "kiosk"
	keep(t, l, own)

	// A validator that finds nothing would find nothing in these either.
	_, export := exportedRecords(t, l, ledger.Period{})
	documents := [][]byte{export, receipt(t, l, a), bytes.ReplaceAll(export, []byte("dpv:ConsentGiven"), []byte("dpv:ConsentAccepted"))}
	fields := []string{"dpv:hasJurisdiction", "dpv:hasConsentStatus", "dpv:hasRecipient", "schema:streetAddress", "dct:language", "dpv:isIndicatedAtTime", "dpv:hasPersonalData", "dct:conformsTo"}
	for _, field := range fields {
		other := regexp.MustCompile(`"`+field+`":([^ ])`).ReplaceAll(export, []byte(`"dct:title":$1`)) // but for the context
		documents = append(documents, other)
	}
	checked := validated(t, documents...)
	for _, right := range checked[:2] {
		assert.Empty(t, right.Faults)
		assert.Empty(t, unknownNames(right.Names))
		assert.Contains(t, right.Names, "https://w3id.org/dpv#ServiceUsageAnalytics")
	}
	assert.Equal(t, [2]int{11, 0}, [2]int{checked[0].Records, checked[0].Receipts})
	assert.Equal(t, [2]int{8, 1}, [2]int{checked[1].Records, checked[1].Receipts})
	assert.Equal(t, []string{"https://w3id.org/dpv#ConsentAccepted"}, unknownNames(checked[2].Names))
	assert.NotEmpty(t, checked[2].Faults)
	for i, field := range fields {
		assert.NotEmpty(t, checked[3+i].Faults, field)
	}
}

func TestAReceiptSaysWhatBecameOfEachConsent(t *testing.T) {
	type step struct {
		regime                  consent.Regime
		gpc                     bool
		statistics, advertising bool
		want                    []string // of advertising, then of statistics
	}
	for name, steps := range map[string][]step{
		"given, renewed and withdrawn": {
			{consent.OptIn, false, true, false, []string{"ConsentRefused", "ConsentGiven"}},
			{consent.OptIn, false, true, true, []string{"ConsentGiven", "RenewedConsentGiven"}},
			{consent.OptIn, false, false, true, []string{"RenewedConsentGiven", "ConsentWithdrawn"}},
			{consent.OptIn, false, false, true, []string{"RenewedConsentGiven", "ConsentRefused"}},
		},
		"a yes that the law had presumed is no consent": {
			{consent.OptOut, false, true, true, []string{"ConsentUnknown", "ConsentUnknown"}},
			{consent.OptIn, false, true, false, []string{"ConsentRefused", "ConsentGiven"}},
			{consent.OptOut, false, false, true, []string{"ConsentUnknown", "ConsentWithdrawn"}},
		},
		"a consent stands under a law that presumes": {
			{consent.OptIn, false, true, false, []string{"ConsentRefused", "ConsentGiven"}},
			{consent.UK, false, true, false, []string{"ConsentRefused", "RenewedConsentGiven"}},
			{consent.UK, false, false, false, []string{"ConsentRefused", "ConsentWithdrawn"}},
		},
		"a yes against Global Privacy Control is one": {
			{consent.OptOut, true, true, true, []string{"ConsentGiven", "ConsentUnknown"}},
			{consent.UK, true, true, true, []string{"RenewedConsentGiven", "ConsentUnknown"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t, lite(t))
			a := visitor()
			for minute, s := range steps {
				record := answered(a, minute, s.regime, s.statistics, s.advertising)
				record.GPC = s.gpc
				keep(t, l, record)
			}
			records, _ := exportedRecords(t, l, ledger.Period{})
			assert.Equal(t, records, consentRecords(t, receipt(t, l, a)), "the visitor reads the same")
			require.Len(t, records, len(steps))
			for i, s := range steps {
				assert.Equal(t, s.want, records[i].status(), i)
				for j, p := range records[i].Processes {
					presumed := s.regime.Presumes(consent.Category(p.Purpose.Title), s.gpc) && s.want[j] != "ConsentWithdrawn" && s.want[j] != "RenewedConsentGiven"
					assert.Equal(t, presumed, p.LegalBasis == "", "%d, %d", i, j)
					assert.Equal(t, presumed, p.Involvement == "dpv:OptingOutFromProcess", "%d, %d", i, j)
				}
				if i > 0 {
					assert.Equal(t, records[i-1].ID, records[i].Replaces)
				}
			}
		})
	}
}

func TestAConsentThatHasExpiredIsNotRenewed(t *testing.T) {
	l := begin(t, lite(t))
	a := visitor()
	first := answered(a, 0, consent.OptIn, true, true)
	keep(t, l, first)
	for _, later := range []time.Duration{180*24*time.Hour - time.Millisecond, 360 * 24 * time.Hour} {
		next := answered(a, 0, consent.OptIn, true, false)
		next.Time = first.Time.Add(later)
		keep(t, l, next)
	}
	records, _ := exportedRecords(t, l, ledger.Period{})
	require.Len(t, records, 3)
	assert.Equal(t, []string{"ConsentWithdrawn", "RenewedConsentGiven"}, records[1].status())
	assert.Equal(t, []string{"ConsentRefused", "ConsentGiven"}, records[2].status())
}

func TestAReceiptHoldsWhatIsKnownAndNoMore(t *testing.T) {
	l := begin(t, lite(t))
	a := visitor()
	shown := answered(a, 1, consent.OptIn, true, false)
	keep(t, l, shown)
	bare := answered(a, 2, consent.OptIn, true, false)
	bare.Evidence = consent.Evidence{}
	bare.Answers = []consent.Answer{{Category: consent.ThirdParty, Provider: "Nobody's"}}
	keep(t, l, bare)
	records, document := exportedRecords(t, l, ledger.Period{})
	require.Len(t, records, 2)

	first := records[0]
	fingerprint := shown.Evidence.Notice.Fingerprint()
	require.Len(t, first.Notices, 2)
	assert.Regexp(t, "^ni:///sha-256;[0-9A-Za-z_-]{43}$", first.Notices[0].ID)
	assert.Equal(t, hex.EncodeToString(fingerprint[:]), first.Notices[0].Identifier)
	assert.Equal(t, "fr", first.Notices[0].Language)
	assert.Equal(t, "https://www.example.fr/privacy", first.Notices[1].ID)
	assert.Equal(t, a.String(), first.Subject.Identifier)
	assert.Equal(t, []string{"loc:FR", "loc:EU"}, first.Jurisdiction)
	assert.Equal(t, `in the banner, button "save"`, first.Processes[0].Status.Method)
	assert.Equal(t, "2026-03-31T12:01:00.000Z", first.Processes[0].Status.Time)
	assert.Equal(t, []string{"dpv:TargetedAdvertising"}, first.Processes[0].Purpose.Broader, "the issuer says more")

	assert.Equal(t, "dpv:ExpressedConsent", first.Processes[0].LegalBasis)

	second := records[1]
	assert.Equal(t, "dpv:Consent", second.Processes[0].LegalBasis, "the site does not say that there was an act")
	require.Len(t, second.Notices, 1, "no notice was recorded")
	assert.Empty(t, second.Processes[0].Status.Method)
	assert.Empty(t, second.Processes[0].Purpose.Broader, "a category that says who collects has no purpose")
	var all graph
	require.NoError(t, json.Unmarshal(document, &all))
	assert.Equal(t, "Nobody's", all.Nodes[len(all.Nodes)-1].Name, "of whom the issuer says nothing")
}

func TestNothingIsForgottenOfAVisitorsRecords(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		receipts, err := l.Receipts(issuer(t))
		require.NoError(t, err)
		a, b := visitor(), visitor()
		want := []consent.Record{answered(a, 1, consent.OptIn, true, true), answered(a, 2, consent.UK, true, false), answered(a, 4, consent.OptIn, false, false)}
		want[1].Evidence.Notice, want[1].Objection, want[1].GPC, want[1].Revision = nil, true, true, 1<<64-1
		want[1].Previous, want[2].Previous = want[0].Time, want[1].Time
		for _, r := range want[:2] {
			keep(t, l, r)
		}
		keep(t, l, answered(b, 2, consent.OptIn, true, true))
		unconfirmed := answered(a, 4, consent.OptIn, true, true)
		unconfirmed.Previous = want[1].Time
		keep(t, l, unconfirmed)
		l.RecordLater(want[2])
		require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)

		got, err := receipts.Records(context.Background(), a)
		require.NoError(t, err)
		assert.Equal(t, want, got, "one decision stands once")
		assert.Len(t, consentRecords(t, receipt(t, l, a)), 3)
		records, _ := exportedRecords(t, l, ledger.Period{})
		assert.Len(t, records, 4)
		records, _ = exportedRecords(t, l, ledger.Period{From: want[2].Time})
		require.Len(t, records, 1)
		assert.Equal(t, []string{"ConsentRefused", "ConsentWithdrawn"}, records[0].status(), "what is taken back was given before the period")
		records, _ = exportedRecords(t, l, ledger.Period{Until: want[1].Time})
		assert.Len(t, records, 1)

		_, err = l.Forget(context.Background(), a)
		require.NoError(t, err)
		got, err = receipts.Records(context.Background(), a)
		assert.NoError(t, err)
		assert.Empty(t, got)
		assert.ErrorIs(t, receipts.WriteReceipt(context.Background(), new(bytes.Buffer), a), ledger.ErrNoRecord)
		records, document := exportedRecords(t, l, ledger.Period{})
		assert.Len(t, records, 1)
		assert.NotContains(t, string(document), a.String())
	})
}

func TestNoReceiptShowsAsRightWhatIsWrong(t *testing.T) {
	for name, statement := range map[string]string{
		"an answer":         `UPDATE consent_record SET answers = replace(answers, 'false', 'true') WHERE n = 2`,
		"a notice":          `UPDATE consent_notice SET content = replace(content, 'Acceptez', 'Refusez')`,
		"a missing record":  `DELETE FROM consent_record WHERE n = 1`,
		"a time":            `UPDATE consent_record SET decided = decided + 1 WHERE n = 2`,
		"a missing notice":  `DELETE FROM consent_notice`,
		"a made-up regime":  `UPDATE consent_record SET regime = 'mars' WHERE n = 2`,
		"answers of no use": `UPDATE consent_record SET answers = '[' WHERE n = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			databases(t, func(t *testing.T, url string) {
				l := begin(t, url)
				a, b := visitor(), visitor()
				keep(t, l, answered(a, 1, consent.OptIn, true, true))
				keep(t, l, answered(a, 2, consent.OptIn, false, true))
				alone := answered(b, 1, consent.OptIn, true, true)
				alone.Evidence.Notice = nil
				keep(t, l, alone)
				keep(t, l, answered(visitor(), 1, consent.OptIn, true, true))
				execute(t, url, strings.Replace(statement, "WHERE", "WHERE act IS NULL AND reference = (SELECT reference FROM consent_record WHERE n = 2) AND", min(1, strings.Count(statement, "consent_record"))))

				receipts, err := l.Receipts(issuer(t))
				require.NoError(t, err)
				got, err := receipts.Records(context.Background(), a)
				assert.ErrorContains(t, err, "is not as it was written")
				assert.Empty(t, got)
				var out bytes.Buffer
				assert.ErrorContains(t, receipts.WriteReceipt(context.Background(), &out, a), a.String())
				assert.Empty(t, out.String())

				err = l.ExportReceipts(context.Background(), &out, issuer(t), ledger.Period{}, nil)
				assert.ErrorContains(t, err, "records are left out, since they are not as they were written")
				assert.ErrorContains(t, err, a.String())
				whose := make(map[string]bool)
				for _, n := range consentRecords(t, out.Bytes()) {
					whose[n.Subject.Identifier] = true
				}
				assert.True(t, whose[b.String()], "the others are there")
			})
		})
	}
}

func TestAConsentThatDidNotCountIsNotShownForARemainderThatIsWrong(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	a := visitor()
	keep(t, l, answered(a, 1, consent.OptIn, true, true))
	keep(t, l, answered(a, 1, consent.OptIn, false, false)) // what counts of it
	execute(t, path, `UPDATE consent_record SET language = 'de' WHERE remainder`)
	var out bytes.Buffer
	err := l.ExportReceipts(context.Background(), &out, issuer(t), ledger.Period{}, nil)
	assert.ErrorContains(t, err, "1 records are left out")
	assert.Empty(t, consentRecords(t, out.Bytes()))
	assert.Contains(t, out.String(), "dpv:DataController", "the document is whole")
}

func TestAnIssuersMistakesComeAllAtOnce(t *testing.T) {
	wrong := issuer(t)
	wrong.Controller = ledger.Party{URL: "www.example.fr"}
	wrong.PrivacyPolicy, wrong.Settings, wrong.Rights = "", "javascript:alert(1)", "/rights"
	wrong.DataProtectionOfficer = ledger.Party{Phone: "1"}
	wrong.Lifetime, wrong.Retention, wrong.StoredIn = 0, time.Hour, nil
	wrong.PersonalData = []string{"pd:BrowsingBehaviour", "pd:Soul"}
	wrong.Jurisdictions = []ledger.Jurisdiction{{Regime: consent.OptIn}, {Regime: consent.OptIn, Places: []string{"FR", "Lyon"}}, {Regime: 9, Places: []string{"FR"}}}
	wrong.Categories = []ledger.Processing{{}, {Category: "chat", Purposes: []string{"dpv:PersonalData"}, PersonalData: []string{"x"}, Retention: -1, StoredIn: []string{"ZZ"}}, {Category: "chat"}}
	wrong.Recipients = []ledger.Recipient{{}, {Provider: "A", Name: "A", Address: "B", Phone: "1", Country: "EU", URL: "ftp://x"}, {Provider: "A", Name: "A", Address: "B", Phone: "1", Country: "fr"}}
	l := begin(t, lite(t))
	_, err := l.Receipts(wrong)
	require.Error(t, err)
	var fields []string
	for _, mistake := range err.(interface{ Unwrap() []error }).Unwrap() {
		named, is := errors.AsType[*ledger.IssuerError](mistake)
		require.True(t, is)
		assert.NotEmpty(t, named.Reason)
		fields = append(fields, named.Field)
	}
	assert.Equal(t, []string{
		"controller.name", "controller.address", "controller.email", "controller.url", "privacyPolicy", "settings", "rights",
		"dataProtectionOfficer.name", "dataProtectionOfficer.email", "lifetime", "retention", "storedIn", "personalData[1]",
		"jurisdictions[0].places", "jurisdictions[1].regime", "jurisdictions[1].places[1]", "jurisdictions[2].regime",
		"categories[0].category", "categories[1].purposes[0]", "categories[1].personalData[0]", "categories[1].retention", "categories[1].storedIn[0]", "categories[2].category",
		"recipients[0].provider", "recipients[0].name", "recipients[0].address", "recipients[0].email",
		"recipients[1].url", "recipients[1].country", "recipients[2].provider", "recipients[2].country",
	}, fields)
	var out bytes.Buffer
	assert.Error(t, l.ExportReceipts(context.Background(), &out, wrong, ledger.Period{}, nil))
	assert.Empty(t, out.String())
}

func TestAnIssuersFileIsReadWithEveryMistake(t *testing.T) {
	for content, want := range map[string][]string{
		`{"controller": {"name": 1, "adress": "x"}, "lifetime": "soon", "retention": "13 months"}`: {
			`line 1: controller.name: is a number and should be a text`, `controller.adress: is no field here`, `lifetime`,
			`controller.address: is missing`, `privacyPolicy: is missing`, `jurisdictions: is missing`,
		},
		`{"controller": {`: {"line 1"},
		``:                 {"line 1"},
	} {
		_, err := ledger.ReadIssuer(strings.NewReader(content))
		for _, text := range want {
			assert.ErrorContains(t, err, text, content)
		}
		require.Error(t, err)
		assert.LessOrEqual(t, strings.Count(err.Error(), "controller.name"), 1, "what could not be read is wrong once")
		assert.Equal(t, len(want) > 1, strings.Contains(err.Error(), "is missing"), "of a document that breaks off nothing is missing")
	}
}

func FuzzReadIssuer(f *testing.F) {
	content, err := os.ReadFile("testdata/controller.json")
	require.NoError(f, err)
	f.Add(content)
	f.Add([]byte(`{"controller": [], "recipients": [{"provider": ""}], "lifetime": "9999999 years"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		issuer, err := ledger.ReadIssuer(bytes.NewReader(content))
		if err != nil {
			assert.Zero(t, issuer.Controller)
			return
		}
		assert.NotEmpty(t, issuer.Controller.Name)
		assert.Positive(t, issuer.Lifetime)
	})
}
