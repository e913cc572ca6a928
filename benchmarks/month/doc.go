// Month runs duizhang night after night on days that hang together, with a state,
// and says of each night what it took: wall time, processor time, peak memory, how
// large the state is by then, and how many trades of earlier days were refunded. It
// checks that each night found as many trades of each status as were planted.
//
//	go run ./benchmarks/month -n 1000000
//	go run ./benchmarks/month -n 2000 -days 5
//
// One day's files are on the disk at a time, and one night's results.
package main
