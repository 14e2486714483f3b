package rules

import (
	"fmt"
	"strings"
)

// corpus are files of both dialects: what people write, what they get wrong,
// and what is easily read in another way.
var corpus = []platformCase{
	{Dialect: Cloudflare, Kind: "redirects", Text: `# comment
/home301 / 301
/home302 / 302
/querystrings /?query=string 301
/twitch https://twitch.tv
/trailing /trailing/ 301
/notrailing/ /nottrailing 301
/page/ /page2/#fragment 301
/blog/* https://blog.my.domain/:splat
/products/:code/:name /products?code=:code&name=:name
/a-:x-b/:y.html /n/:x/:y 303
/deep/*/end /d/:splat 307
/img/*.png /pic/:splat 308
/two/:a-:b /t/:b/:a
/mix/:a-*-:b.x /m/:a/:splat/:b
/p/:one/q/:two_2/* /:two_2/:one?s=:splat#:one
/static-after-dynamic /sad 301
  /blanks	/tabs   301  `,
		Requests: []string{"/home301", "/home302", "/home301?x=1", "/querystrings", "/querystrings?mine=1", "/twitch", "/twitch?a=b", "/trailing", "/trailing/", "/notrailing/", "/notrailing", "/page/", "/page/?q",
			"/blog/", "/blog/a/b", "/blog", "/blog/a?q=1", "/products/12/shoe", "/products/12", "/products/12/shoe/", "/a-1-b/2.html", "/a-1-2-b/.html", "/a-1-b/x.html.html",
			"/deep/a/b/end", "/deep/end", "/deep//end", "/deep/a/end/end", "/img/a/b.png", "/img/.png", "/img/a.jpg", "/two/1-2-3", "/two/1-", "/two/-1", "/two/--",
			"/mix/1-2-3-4.x", "/mix/1-2.x", "/mix/a-b/c-d-e/f-g.x", "/mix/a/b-c-d.x", "/p/1/q/2/3/4", "/p/1/q/2/", "/static-after-dynamic", "/blanks", "/", "/nothing", "/Home301"},
	},
	{Dialect: Cloudflare, Kind: "redirects", Text: `/one
/a /b /c 301
/a /b 301 extra words
/status /x 404
/status2 /x abc
/status3 /x 200!
/proxy https://example.net/ 200
relative /x.txt 301
https://example.com/abs /x
/to-relative x
/to-http http://example.com/
/to-mail mailto:x@y
/* /index.html 200
/ /index.html
/sub/ /other/index 301
/sub2/* /index.html
/app /index.html 200
/dup /first
/dup /second
/ok /fine.txt 200
/rewrite/* /files/:splat.txt 200
//double/slash /x
/query?x=1 /y
/ütf /unicode 301
/enc%20oded /space 301
/dots/../d /dotted 301
/a/* /b/* 301
/unknown/:x /:y 301
`, Requests: []string{"/relative", "/ok", "/rewrite/a/b", "/dup", "/query", "/%C3%BCtf", "/enc%20oded", "/d", "/sub/", "/unknown/1", "/a/1", "/rewrite/caf%C3%A9"},
		ours: map[int]string{
			23: "a query in the path is dropped by them without a word",
			28: "a placeholder that is unknown stays; they do not say it",
		},
	},
	{Dialect: Cloudflare, Kind: "redirects", Text: "/first /1\n" + strings.Repeat("/", 1999) + "a /2\n/ok /3\n/" + strings.Repeat("b", 1990) + " /45 302\n/x /y", Requests: []string{"/first", "/ok", "/x"}},
	{Dialect: Cloudflare, Kind: "redirects", Text: many("/s%d /t%d\n", 2002) + "/last/* /l/:splat\n", Requests: []string{"/s0", "/s1999", "/s2000", "/last/x"},
		ours: map[int]string{2001: "they name no line", 2002: "they name no line"}},
	{Dialect: Cloudflare, Kind: "redirects", Text: many("/s%d/* /t%d/:splat\n", 102) + "/late /l", Requests: []string{"/s0/a", "/s99/a", "/s100/a", "/late"},
		ours: map[int]string{101: "they name no line"}},
	{Dialect: Cloudflare, Kind: "redirects", Text: "/dyn/* /1\n/dyn/x /2\n/:any/z /3\n/q/z /4\n", Requests: []string{"/dyn/x", "/q/z"}},
	{Dialect: Cloudflare, Kind: "redirects", Text: "\ufeff/bom /x\r\n/crlf /y 301\r\n", Requests: []string{"/bom", "/crlf"}},

	{Dialect: Cloudflare, Kind: "headers", Text: `# all
/*
  X-All: yes
  X-Twice: a

/secure/*
  X-Twice: b
  X-Own: 1
  X-Own: 2
/none/*
  ! X-All
  X-Twice: c
/movies/:title/*
  X-Movie-Name: You are watching ":title" :splat
https://example.com/abs/*
  X-Abs: host
https://other.example/abs/*
  X-Other: host
https://:sub.com/abs/*
  X-Sub: :sub is
/file.txt
  X-Colon: a:b: c
/again/*
  X-All: again
  ! X-Own
`, Requests: []string{"/a.txt", "/secure/a.txt", "/none/a.txt", "/movies/x/y/z.txt", "/abs/a.txt", "/file.txt", "/again/a.txt", "/movies/a%20b/c.txt"}},
	{Dialect: Cloudflare, Kind: "headers", Text: `  X-Early: 1
/ok.txt
  X-Ok: 1
  nothing
  : value
  X-Empty:
  X Space: 1
http://example.com/plain
https://example.com:8080/port
/empty
/ok2.txt
  X-Ok2: 1
relative
`, Requests: []string{"/ok.txt", "/ok2.txt"},
		theirs: map[int]string{11: "they name the line behind the path without fields"},
		ours:   map[int]string{10: "we name the path itself"},
	},
	{Dialect: Cloudflare, Kind: "headers", Text: many("/h%d.txt\n  X-N: %d\n", 101), Requests: []string{"/h0.txt", "/h99.txt"},
		ours: map[int]string{201: "they name no line"}},

	{Dialect: Netlify, Kind: "redirects", Text: `# Netlify
/home              /
/blog/my-post.php  /blog/my-post
/news              /blog 302
/authors/c%C3%A9line /authors/about-c%C3%A9line
/cuties            https://www.petsofnetlify.com/ 302
/articles id=:id tag=:tag /posts/:tag/:id 301
/store id=1 /one 302
/store id=:id /blog/:id 301
/news/:month/:date/:year/:slug  /blog/:year/:month/:date/:slug
/old/* /new/:splat 301
/pre* /post/:splat
/mid/*/end /m/:splat 302
/shadow /s.html 200
/forced /f.html 200!
/gone /404.html 404
/three /3 303
/seven /7 307
/eight /8 308
/keep/* 200
/slash/ /with 301 # comment
/q /q2?own=1
/mixed/:a/:b/* /x/:b/:splat?a=:a 302!
/* /index.html 200
`, Requests: []string{"/home", "/home/", "/blog/my-post.php", "/news", "/authors/c%C3%A9line", "/cuties", "/articles?id=1&tag=x", "/articles?tag=x&id=1", "/articles?id=1", "/store?id=1", "/store?id=2", "/store",
		"/news/02/12/2004/my-story", "/news/02/12/2004/my-story/", "/old", "/old/", "/old/a/b", "/old/a/", "/prefix", "/pre", "/pre/a", "/mid/a/b/end", "/shadow", "/forced", "/gone", "/three", "/seven", "/eight",
		"/keep/a/b", "/slash", "/slash/", "/q?other=1", "/mixed/1/2/3/4", "/anything/else", "/", "/HOME"},
	},
	{Dialect: Netlify, Kind: "redirects", Text: `/one
/a b /c x y
relative /x 301
/.netlify/x /y
/country /c 302 Country=au,nz
/role /r 200! Role=admin
/signed /s 301 Signed=KEY
/proxy/* https://api.example.com/:splat 200
/ok /fine 302
/a*b /x
/words nothing
http://example.com/abs /plain
https://example.com/abs /tls
https://other.example/* /other
`, Requests: []string{"/ok", "/abs", "/nothing"},
		ours: map[int]string{
			2: "b is no parameter", 3: "a path needs its slash", 5: "the country is not known here", 6: "roles are not known here",
			4: "they name no line", 7: "signing needs Netlify", 8: "nothing is passed on to other sites", 10: "matches nothing there",
		},
	},
	{Dialect: Netlify, Kind: "headers", Text: `/*
  X-Frame: DENY
  X-List: a
  X-List: b, c
/templates/index.html
  X-T: 1
/blog/:slug
  X-Blog: 1
/x/*
  X-X: 1
/*.js
  X-Js: 1
nonsense
  X-Bad
  X-Empty:
`, Requests: []string{"/", "/templates/index.html", "/blog/a", "/blog/a/", "/blog/a/b", "/x/", "/x", "/x/y/z", "/a.js", "/d/a.js"},
		ours: map[int]string{13: "they drop it without a word", 14: "they drop it without a word"},
	},
}

func many(line string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line, i, i)
	}
	return b.String()
}
