package main

import (
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
			of("ours", ours, "", 100), of("ours, dear", ours, "", 200), of("guard", guard, "", 200), of("guard, dear", guard, "", 300),
			of("ours, known", ours, "a=1", 500), of("guard, known", guard, "a=1", 400), of("another", other, "a=1", 900),
		},
		Throughput: []raced{left("bare", null, 50), left("ours", ours, 99), left("ours, dear", ours, 97), left("another", other, 50)},
	}
	verdicts := r.Verdicts()
	assert.Equal(t, []bool{true, false, false}, []bool{verdicts[0].Holds, verdicts[1].Holds, verdicts[2].Holds})
	assert.Equal(t, "the mark is guard: 200 ns; kept: ours 100 ns, ours, dear 200 ns", verdicts[0].Figures)
	assert.Equal(t, "the mark is guard, known: 400 ns; **missed**: ours, known 500 ns", verdicts[1].Figures)
	assert.Equal(t, "the mark is 0.98; kept: ours 0.990; **missed**: ours, dear 0.970", verdicts[2].Figures)

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
}
