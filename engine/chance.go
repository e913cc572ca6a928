package engine

import "math"

// Statistics over counts. They decide what is worth saying and may use floats:
// money, and every share that is shown, is exact.

// logTail is ln P(X ≥ k) for X binomial with n trials of probability hits/of: how
// likely it is that chance alone puts so many of n breaks where hits of all rows
// are. Logarithms, because likelihoods such as 10^-400 do occur.
func logTail(k, n, hits, of int64) float64 {
	switch {
	case k <= 0:
		return 0
	case hits <= 0:
		return math.Inf(-1)
	case hits >= of:
		return 0
	}
	p := float64(hits) / float64(of)
	odds := math.Log(p) - math.Log1p(-p)
	term := logChoose(n, k) + float64(float64(k)*math.Log(p)) + float64(float64(n-k)*math.Log1p(-p))
	largest, sum := term, 1.0 // the tail is exp(largest) × sum
	for x := k + 1; x <= n; x++ {
		term += math.Log(float64(n-x+1)/float64(x)) + odds
		if term > largest {
			sum, largest = float64(sum*math.Exp(largest-term))+1, term
		} else {
			sum += math.Exp(term - largest)
		}
		if term < largest-negligible {
			break
		}
	}
	return math.Min(0, largest+math.Log(sum))
}

// negligible is the logarithm below which a term adds nothing to a float.
const negligible = 40

func logChoose(n, k int64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// logGain is how much better, as the logarithm of a likelihood ratio (half of G), n
// breaks in a population are explained when the segment that has k of them in hits
// of all rows has a rate of its own.
func logGain(k, n, hits, of int64) float64 {
	inside, outside := max(hits, k), max(of-hits, n-k) // a row may have two breaks of a kind
	return logRate(k, inside) + logRate(n-k, outside) - logRate(n, inside+outside)
}

// logRate is the logarithm of the largest likelihood of k breaks in n rows.
func logRate(k, n int64) float64 {
	part := func(k int64) float64 {
		if k == 0 {
			return 0
		}
		return float64(float64(k) * math.Log(float64(k)/float64(n)))
	}
	return part(k) + part(n-k)
}
