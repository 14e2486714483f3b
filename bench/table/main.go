// Command table reads what was measured, in turns, and prints a table of the medians, and how they stand to one another:
//
//	table [-markdown] FIGURES [WANTED]
//
// A line of FIGURES has a row's name, a server's, and what load prints, with tabs between; rows and servers keep their order. A line of WANTED has
// what is compared, "<" or ">" with a limit, the number of a figure (1 is the first), and twice a row and a server: the first figure divided by the second
// is to be at most, or at least, the limit. Lines of rows that were not measured are left out.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("table: ")
	markdown := flag.Bool("markdown", false, "print it for a file of Markdown")
	flag.Parse()
	if flag.NArg() < 1 || flag.NArg() > 2 {
		log.Fatal("usage: table [-markdown] FIGURES [WANTED]")
	}
	figures, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	cells, err := readCells(string(figures))
	if err != nil {
		log.Fatal(flag.Arg(0), ": ", err)
	}
	var out bytes.Buffer
	tables := [][][]string{measured(cells)}
	if flag.NArg() == 2 {
		text, err := os.ReadFile(flag.Arg(1))
		if err != nil {
			log.Fatal(err)
		}
		wanted, err := readWanted(string(text))
		if err != nil {
			log.Fatal(flag.Arg(1), ": ", err)
		}
		if seen := compared(wanted, cells); len(seen) > 1 {
			tables = append(tables, seen)
		}
	}
	for i, table := range tables {
		if i > 0 {
			out.WriteString("\n")
		}
		if *markdown {
			asMarkdown(&out, table)
		} else {
			asText(&out, table)
		}
	}
	os.Stdout.Write(out.Bytes())
}
