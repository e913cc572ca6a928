package main

import (
	"bufio"
	"io"
)

// readLines reads all lines, blank ones too, without what surrounds them.
func readLines(in io.Reader) ([]string, error) {
	var lines []string
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}
