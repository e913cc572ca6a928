package rules

import "strconv"

// word is the String of the kinds of this package: the word at i, or the kind's
// name and number for a value that has none, so that a forgotten kind shows.
func word(words []string, i uint8, kind string) string {
	if i > 0 && int(i) < len(words) {
		return words[i]
	}
	return kind + "(" + strconv.Itoa(int(i)) + ")"
}

// parseWord is the inverse of word.
func parseWord[T ~uint8](words []string, s string) (T, bool) {
	for i := 1; i < len(words); i++ {
		if words[i] == s {
			return T(i), true
		}
	}
	return 0, false
}
