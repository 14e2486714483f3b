// Command fileserver is http.FileServer and nothing else, to be measured beside:
//
//	fileserver FOLDER HTTP-ADDRESS HTTPS-ADDRESS CERTIFICATE KEY
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: fileserver FOLDER HTTP-ADDRESS HTTPS-ADDRESS CERTIFICATE KEY")
	}
	files := http.FileServer(http.Dir(os.Args[1]))
	ended := make(chan error)
	go func() { ended <- http.ListenAndServe(os.Args[2], files) }()
	go func() { ended <- http.ListenAndServeTLS(os.Args[3], os.Args[4], os.Args[5], files) }()
	log.Fatal(<-ended)
}
