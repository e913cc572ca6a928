// Compare runs duizhang and its peers on the same files, in turn, each as a
// whole process, and says what each took: wall time, processor time and peak
// memory. It counts only when all of them found the same, so it first compares
// what they printed with each other and with the generator's truth, and then
// the columns of the Parquet files that they wrote.
//
//	go run ./benchmarks/compare -n 1000000
//	go run ./benchmarks/compare -n 20000 -runs 1 -peers plain
//
// README.md in the folder above says how to install the peers.
package main
