package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestASampleTellsItsQuartiles(t *testing.T) {
	s := sample{5, 1, 4, 2, 3}
	assert.Equal(t, "3.0 (2.0 to 4.0)", s.over("%.1f"))
	assert.Equal(t, sample{5, 1, 4, 2, 3}, s, "and keeps its order")
	assert.InDelta(t, 1.5, sample{2, 1}.Median(), 0)
}

func TestWhatHoldsIsDecidedByTheWorstOfOursAndTheBestOfTheOthers(t *testing.T) {
	of := func(name string, kind kind, cookie string, ns float64) priced {
		return priced{contestant: contestant{Name: name, kind: kind, cookie: cookie}, Cost: cost{NS: sample{ns + 10}}, alone: cost{NS: sample{10}}}
	}
	left := func(name string, kind kind, wrapped float64) raced {
		return raced{contestant: contestant{Name: name, kind: kind}, bare: []pace{{100, 1}}, wrapped: []pace{{wrapped, 1}}}
	}
	r := serverResults{
		Costs: []priced{
			of("consent: no cookie", ours, "", 184), of("ours, dear", ours, "", 210), of(lookedFor, guard, "", 400), of(floor, other, "", 100),
			of("consent: consented", ours, "a=1", 1080), of(verified, guard, "a=1", 2000), of(lookedUp, guard, "a=1", 5000),
		},
		Throughput: []raced{left("bare", null, 50), left("ours", ours, 99), left("ours, dear", ours, 97), left("another", other, 50)},
	}
	r.Costs[0].Cost.Bytes = 500
	var got []bool
	for _, v := range r.Verdicts() {
		got = append(got, v.Holds)
	}
	assert.Equal(t, []bool{false, false, true, true, false, false, false}, got)
	assert.Equal(t, "half of scs LoadAndSave, no session: 200 ns; kept: no cookie 184 ns; **missed**: ours, dear 210 ns", verdictAt(&r, 0))
	assert.Equal(t, "half of gorilla/csrf, token known: 1000 ns; **missed**: consented 1080 ns", verdictAt(&r, 1))
	assert.Equal(t, "half of scs LoadAndSave, a session: 2500 ns; kept: consented 1080 ns", verdictAt(&r, 3))
	assert.Equal(t, "1.1, with a tenth for chance; kept: no cookie 1.00; **missed**: consented 1.11", verdictAt(&r, 4))
	assert.Equal(t, "0; kept: consented -592; **missed**: no cookie +36", verdictAt(&r, 5))
	assert.Equal(t, "0.98; kept: ours 0.990; **missed**: ours, dear 0.970", verdictAt(&r, 6))
	assert.Contains(t, (&serverResults{Costs: r.Costs[:1]}).Verdicts()[0].Figures, "missed", "nothing to compare with is no success")

	holds := func(own, other visited) (holds []bool) {
		own.site, other.site = site{Name: "ours", ours: true, banner: "a"}, site{Name: "another", banner: "b"}
		for _, v := range (&visitorResults{Sites: []visited{{site: site{Name: "no banner"}}, own, other}}).Verdicts() {
			holds = append(holds, v.Holds)
		}
		return holds
	}
	like := func(figure float64, names ...string) visited {
		return visited{Bytes: sample{figure}, Script: sample{figure}, Banner: sample{figure}, Shift: sample{figure}, Violations: names, HTTPOnly: names}
	}
	assert.Equal(t, []bool{true, true, true, true, true, true}, holds(like(0), like(1, "a")))
	assert.Equal(t, []bool{false, false, true, false, false, false}, holds(like(1, "a"), like(1, "a")))
	assert.Equal(t, []bool{false, false, false, false, true, false}, holds(like(2), like(1)))
	under := func(v visited, figure float64) visited {
		v.Hard = []hard{{Banner: sample{figure}, NextBanner: sample{figure}, Shift: sample{0}}, {Script: sample{figure}, Banner: sample{figure}, NextBanner: sample{0}, Shift: sample{0}}}
		return v
	}
	assert.Equal(t, []bool{true, true, true, false, false, false, false, true, true, true, true}, holds(under(like(0), 2), under(like(1, "a"), 1)))
}

func verdictAt(r *serverResults, i int) string {
	return strings.TrimPrefix(r.Verdicts()[i].Figures, "the mark is ")
}
