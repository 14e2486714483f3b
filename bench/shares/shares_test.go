package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestASampleCountsOnceForTheInnermostThatSays(t *testing.T) {
	t.Parallel()
	const samples = `
	ffffffff8202fa8b tcp_v4_fill_cb ([kernel.kallsyms])
	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	            dd6e internal/runtime/syscall/linux.Syscall6 (/usr/bin/roost)
	          35a963 roost/internal/socket.(*Writer).Write (/usr/bin/roost)
	          25387e crypto/tls.(*Conn).Write (/usr/bin/roost)


	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	           b1195 syscall.read (/usr/bin/roost)
	          25387e crypto/tls.(*Conn).Read (/usr/bin/roost)

	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	           b1195 runtime.futex.abi0 (/usr/bin/roost)
	           b1195 net/http.(*http2serverConn).serve (/usr/bin/roost)

	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	           b1195 syscall.fstat (/usr/bin/roost)

	ffffffff81000e06 asm_sysvec_apic_timer_interrupt ([kernel.kallsyms])
	          104b0b strings.ToLower (/usr/bin/roost)
	          2d07cd net/http/internal/httpcommon.LowerHeader (/usr/bin/roost)
	          311bc5 net/http.http2encodeHeaders (/usr/bin/roost)

	           11111 runtime.memmove (/usr/bin/roost)
	          11bc5a crypto/internal/fips140/aes/gcm.seal (/usr/bin/roost)

	           11111 runtime.lock2 (/usr/bin/roost)
	           11111 runtime.selectgo (/usr/bin/roost)
	          2f3471 net/http.(*http2serverConn).serve (/usr/bin/roost)

	           11111 runtime.nextFreeFast (/usr/bin/roost)
	           11111 runtime.mallocgcSmallScanNoHeader (/usr/bin/roost)
	          2f3471 roost/host.(*front).ServeHTTP (/usr/bin/roost)

	          2f3471 net/http.(*http2serverConn).serve (/usr/bin/roost)

	          2f3471 roost/static.(*Folder).ServeHTTP (/usr/bin/roost)

	          2f3471 net/http.Header.Set (/usr/bin/roost)

	          2f3471 main.main (/usr/bin/roost)
`
	counts, all, err := count(strings.NewReader(samples))
	want := map[string]int{
		"system calls: write":                             1,
		"system calls: read":                              1,
		"system calls: others":                            1,
		"scheduler: goroutines that wait for one another": 2,
		"header compression":                              1,
		"TLS":                                             1,
		"memory: allocation and collection":               1,
		"HTTP/2 of net/http: frames and streams":          1,
		"Roost":                                           1,
		"net/http besides":                                1,
		"others":                                          1,
	}
	if err != nil || all != 12 || fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("%d samples, %v\ngot  %v\nwant %v", all, err, counts, want)
	}
	if _, all, err := count(strings.NewReader("\n\n")); all != 0 || err != nil {
		t.Errorf("%d samples in nothing, %v", all, err)
	}
}
