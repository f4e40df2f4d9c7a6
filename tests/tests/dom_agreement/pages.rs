//! Pages as nobody should write them. What is edited has the class `a`, the id `x` or the attribute `data-k`.

/// A page and what it is about.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) html: Vec<u8>,
}

const PAGES: &[(&str, &str)] = &[
    (
        "a plain page",
        "<!doctype html><html><head><title>T</title><meta name=description content=d></head><body><div id=x class=a><p class=a data-k=v>1</p><img class=a src=1 srcset='2 2x'><a class=a href=/>l</a></div></body></html>",
    ),
    (
        "no head, no body",
        "<!doctype html><title>T</title><p class=a>1<div id=x>2</div>",
    ),
    ("nothing but text", "text <b class=a>b</b> text"),
    ("an empty page", ""),
    (
        "no doctype",
        "<html><head></head><body><p class=a><table id=x><tr><td class=a>1</table></body></html>",
    ),
    (
        "head without an end",
        "<!doctype html><head><title>T</title><p class=a>1</p>",
    ),
    (
        "text ends the head",
        "<!doctype html><head><title>T</title> text<p class=a>1</p>",
    ),
    (
        "two bodies",
        "<!doctype html><body class=a><p class=a>1</p><body id=x><p class=a>2</p></body>",
    ),
    (
        "after the body",
        "<!doctype html><body><p class=a>1</p></body><div class=a>2</div></html><p class=a>3",
    ),
    (
        "paragraphs without ends",
        "<!doctype html><body><p class=a>1<p class=a>2<p id=x>3<div class=a>4<p>5</div>6",
    ),
    (
        "list without ends",
        "<!doctype html><body><ul id=x><li class=a>1<li class=a>2<ul><li class=a>3</ul><li>4</ul>5",
    ),
    (
        "definitions without ends",
        "<!doctype html><body><dl id=x><dt class=a>1<dd class=a>2<dt>3<dd class=a>4</dl>5",
    ),
    (
        "table without ends",
        "<!doctype html><body><table id=x><tr><td class=a>1<td>2<tr class=a><td>3<td class=a>4</table>5",
    ),
    (
        "table with its parts",
        "<!doctype html><body><table><caption class=a>c</caption><colgroup><col class=a></colgroup><thead class=a><tr><th class=a>h</th></tr></thead><tbody id=x><tr class=a><td>1</td></tr></tbody></table>",
    ),
    (
        "text in a table",
        "<!doctype html><body><table id=x>loose<tr><td class=a>1</td></tr><b class=a>bold</b><tr class=a><td>2</table>3",
    ),
    (
        "table in a paragraph",
        "<!doctype html><body><p class=a>1<table><tr><td class=a>2</table>3</p>4",
    ),
    (
        "form in a table",
        "<!doctype html><body><table><form class=a><tr><td class=a><input class=a></td></tr></form></table>",
    ),
    (
        "misnested formatting",
        "<!doctype html><body><p><b class=a>1<i class=a>2</b>3</i>4</p>",
    ),
    (
        "formatting over blocks",
        "<!doctype html><body><b class=a>1<p class=a>2</b>3</p>4",
    ),
    (
        "formatting that was left open",
        "<!doctype html><body><div id=x><b class=a>1</div>2<p class=a>3</p>",
    ),
    (
        "link in a link",
        "<!doctype html><body><a class=a href=1>1<a id=x href=2>2</a>3</a>",
    ),
    (
        "button in a button",
        "<!doctype html><body><button class=a>1<button id=x>2</button>3</button>",
    ),
    (
        "heading in a heading",
        "<!doctype html><body><h1 class=a>1<h2 class=a>2</h1>3",
    ),
    (
        "stray end tags",
        "<!doctype html><body></p><div class=a></span>1</b></div></div></p><p class=a>2</br>3",
    ),
    (
        "end tag with attributes",
        "<!doctype html><body><p class=a>1</p class=a id='>'><p class=a>2",
    ),
    (
        "select",
        "<!doctype html><body><select id=x><option class=a>1<option class=a>2<optgroup class=a><option>3</select>4",
    ),
    (
        "select with markup",
        "<!doctype html><body><select class=a><option>1<b class=a>b</b></option></select><p class=a>2",
    ),
    (
        "text area",
        "<!doctype html><body><textarea class=a>\n<b class=a>1</b>&amp;</textarea><p class=a>2</p>",
    ),
    (
        "title with markup",
        "<!doctype html><head><title class=a>1 <b class=a>2</b> &lt;</title></head><body><p class=a>3",
    ),
    (
        "script with an end tag in a string",
        "<!doctype html><head><script class=a>var a = '<\\/script>' + '<p class=a>';</script></head><body><p class=a>1",
    ),
    (
        "script with a comment",
        "<!doctype html><body><script class=a><!-- <script> </script> --></script><p class=a>1</p>",
    ),
    (
        "script without an end",
        "<!doctype html><body><p class=a>1</p><script><!-- <script> <p class=a>2",
    ),
    (
        "style",
        "<!doctype html><head><style class=a>p > .a { content: '</p>' }</style></head><body><p class=a>1",
    ),
    (
        "raw text",
        "<!doctype html><body><xmp class=a><p class=a>1</xmp><iframe class=a><p class=a>2</iframe><noembed class=a><p class=a></noembed><p class=a>3",
    ),
    (
        "noscript",
        "<!doctype html><head><noscript class=a><link class=a></noscript></head><body><noscript class=a><p class=a>1</p></noscript><p class=a>2",
    ),
    (
        "plain text",
        "<!doctype html><body><p class=a>1<plaintext class=a><p class=a>2</plaintext>",
    ),
    (
        "template",
        "<!doctype html><body><template class=a><p class=a>1</p><tr class=a><td>2</template><p class=a>3</p>",
    ),
    (
        "template in a template",
        "<!doctype html><head><template><title>t</title><template class=a><p class=a>1</template><p class=a>2</template></head><body><p class=a>3",
    ),
    (
        "template without an end",
        "<!doctype html><body><p class=a>1</p><template><p class=a>2",
    ),
    (
        "SVG",
        "<!doctype html><body><svg class=a><title class=a>s</title><g class=a><rect class=a /><text class=a>1</text></g><a class=a href=1>2</a></svg><p class=a>3",
    ),
    (
        "HTML in SVG",
        "<!doctype html><body><svg><foreignObject class=a><p class=a>1</p><div class=a>2</div></foreignObject><desc class=a>3</desc></svg><p class=a>4",
    ),
    (
        "SVG that HTML breaks out of",
        "<!doctype html><body><svg><g class=a><p class=a>1</p></svg><p class=a>2",
    ),
    (
        "MathML",
        "<!doctype html><body><math class=a><mi class=a>x</mi><mtext class=a><b class=a>1</b></mtext><annotation-xml encoding='text/html'><p class=a>2</p></annotation-xml></math><p class=a>3",
    ),
    (
        "CDATA",
        "<!doctype html><body><p class=a>1<![CDATA[ <p class=a>2 ]]></p><svg><text class=a><![CDATA[ <p class=a>3 ]]></text></svg><p class=a>4",
    ),
    (
        "comments in odd places",
        "<!-- a --><!doctype html><!-- <p class=a> --><html><!----><head><!--></head>--><body><p class=a>1<!-- </p> --></p><!---></body><p class=a>2",
    ),
    (
        "comments that end early",
        "<!doctype html><body><!--><p class=a>1</p>--><!---><p class=a>2</p>--><!--x--!><p class=a>3</p><!-x><p class=a>4</p>",
    ),
    (
        "bogus comments",
        "<!doctype html><body><?php echo '<p class=a>'; ?><p class=a>1</p></ x><!x><p class=a>2",
    ),
    (
        "attributes twice",
        "<!doctype html><body><p class=a class=b id=y id=x title=1 TITLE=2>1</p><img class=a src=1 src=2 srcset=3>",
    ),
    (
        "attributes without quotes",
        "<!doctype html><body><p class=a/b>1</p><p class=a/>2</p><p class=a data-k=v/>3</p><a class=a href=a/b?c=d&amp=e>4</a>",
    ),
    (
        "attributes with quotes in them",
        "<!doctype html><body><p class='a' title='\"'>1</p><p class=\"a\" title=\"'>\">2</p><p class=a title=\"a&quot;b\">3</p>",
    ),
    (
        "odd attribute names",
        "<!doctype html><body><p class=a \" ' < = x>1</p><p =a class=a>2</p><p class = a>3</p><p\nclass\n=\na\n>4</p>",
    ),
    (
        "entities without semicolons",
        "<!doctype html><body><p class=a title='&lt&copy=1&notit;&#x41;&#0;'>&lt&copy &notit; &#x41 &#0;</p><a class=a href='?a=1&copy=2'>1</a>",
    ),
    (
        "classes with entities",
        "<!doctype html><body><p class='&#97; b'>1</p><p class='a&#9;b'>2</p><p id='&#120;'>3</p>",
    ),
    (
        "case",
        "<!DOCTYPE HTML><BODY><DIV ID=x CLASS=a><P CLASS=a>1</P></DIV><Img Class=a SRC=1 SrcSet=2></BODY>",
    ),
    (
        "CR, LF and form feeds",
        "<!doctype html>\r\n<body\r>\r<p\x0cclass=a\r\ndata-k='v'>1\r2\r\n3\n</p>\r<pre class=a>\r\n4</pre>",
    ),
    (
        "a newline at the beginning",
        "<!doctype html><body><pre class=a>\n1</pre><textarea class=a>\n2</textarea><listing class=a>\n3</listing>",
    ),
    (
        "null bytes",
        "<!doctype html><body><p class=a>1\0 2</p><p class='a \0'>3</p><p cl\0ass=a>4</p><svg><text class=a>5\0</text></svg>",
    ),
    (
        "a byte order mark",
        "\u{feff}<!doctype html><head><title>T</title></head><body><p class=a>\u{e9}</p>",
    ),
    (
        "marks within",
        "<!doctype html><body><p class=a>\u{feff}1</p>\u{feff}<p class=\u{feff}a>2</p>",
    ),
    (
        "frames",
        "<!doctype html><head><title>T</title></head><frameset class=a><frame class=a><noframes class=a><p class=a>1</p></noframes></frameset>",
    ),
    (
        "void elements",
        "<!doctype html><body><br class=a>1<hr class=a>2<input class=a>3<wbr class=a>4<embed class=a>5<img class=a>6</img>",
    ),
    (
        "self-closing tags that are none",
        "<!doctype html><body><div class=a />1</div><p class=a/>2<b class=a />3</b><br class=a />4",
    ),
    (
        "picture",
        "<!doctype html><body><picture class=a><source class=a srcset=1><img class=a src=2 srcset=3 sizes=4></picture><img class=a srcset=5>",
    ),
    (
        "object and fallback",
        "<!doctype html><body><object class=a><p class=a>1</object><video class=a><source><p class=a>2</video>3",
    ),
    (
        "ruby",
        "<!doctype html><body><ruby class=a>1<rb class=a>2<rt class=a>3<rp>4<rtc class=a>5<rt>6</ruby>7",
    ),
    (
        "details",
        "<!doctype html><body><details class=a><summary class=a>1</summary><p class=a>2</details>3",
    ),
    (
        "form in a form",
        "<!doctype html><body><form class=a><input><form id=x><input class=a></form></form>1",
    ),
    (
        "custom elements",
        "<!doctype html><body><x-a class=a><x-b id=x>1</x-b></x-a><x-a class=a />2",
    ),
    ("ends in a tag", "<!doctype html><body><p class=a>1</p><p class=a"),
    (
        "ends in an attribute",
        "<!doctype html><body><p class=a>1</p><p class=a title='",
    ),
    (
        "ends in a comment",
        "<!doctype html><body><p class=a>1</p><!-- <p class=a>",
    ),
    ("ends in an end tag", "<!doctype html><body><p class=a>1</p"),
    ("ends in a doctype", "<!doctype html"),
    (
        "ends in a text area",
        "<!doctype html><body><p class=a>1</p><textarea class=a><p class=a>2",
    ),
    (
        "children in order",
        "<!doctype html><body><div id=x><p>1</p><p class=a data-k=v>2</p><b>3</b><p data-k='v w'>4</p></div><div><b>5</b><p class='b a'>6</p></div>",
    ),
    (
        "children without ends",
        "<!doctype html><body><div id=x><p>1<p class=a data-k=v>2<b>3</b><p>4</div><ul><li>5<li class=a>6</ul>",
    ),
    (
        "a title and metas",
        "<!doctype html><head><meta name=DESCRIPTION content=1><title>1</title><title>2</title><meta name=description content=2></head><body><p class=a>1",
    ),
    (
        "no title",
        "<!doctype html><head><link rel=x></head><body><p class=a>1</p><svg><title>s</title></svg></body>",
    ),
    (
        "a title in the body",
        "<!doctype html><head></head><body><title>1</title><meta name=description content=1><p class=a>1",
    ),
    (
        "a title before any head",
        "<!doctype html><title>1</title><body><p class=a>1",
    ),
    (
        "end tags in the wrong order",
        "<!doctype html><body><div class=a><section class=a><span class=a>1</div>2</section>3</span>4",
    ),
    (
        "tables in tables",
        "<!doctype html><body><table class=a><tr><td><table id=x><tr><td class=a>1</table>2</table>3",
    ),
    (
        "table in a table without a cell",
        "<!doctype html><body><table class=a><tr><td class=a>1<table><table class=a><td class=a>2</table>3",
    ),
    (
        "styles that are there",
        "<!doctype html><body><p class=a style='color: red; color: blue'>1</p><p class=a style='margin:0;'>2</p><p class=a style='color:red!important'>3</p><p class=a style='x'>4</p><p class=a style=\"background: url('a;b')\">5</p>",
    ),
    (
        "classes that are there",
        "<!doctype html><body><p class=' a  b '>1</p><p class='a\tnew\n'>2</p><p class='a a'>3</p><p class=''>4</p>",
    ),
];

/// All pages.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = PAGES
        .iter()
        .map(|(name, html)| Page {
            name,
            html: html.as_bytes().to_vec(),
        })
        .collect();
    let mut add = |name, html: String| {
        pages.push(Page {
            name,
            html: html.into_bytes(),
        });
    };
    let attributes: String = (0..10_000)
        .map(|number| format!(" data-{number}={number}"))
        .collect();
    add(
        "10,000 attributes",
        format!("<!doctype html><body><p class=a{attributes}>1</p><p class=a>2</p>"),
    );
    add(
        "10,000 levels",
        format!(
            "<!doctype html><body>{}<p class=a>1</p>{}<p class=a>2</p>",
            "<div>".repeat(10_000),
            "</div>".repeat(10_000)
        ),
    );
    add(
        "400 levels",
        format!(
            "<!doctype html><body>{}<p class=a>1</p>{}<p class=a>2</p>",
            "<div>".repeat(400),
            "</div>".repeat(400)
        ),
    );
    add(
        "formatting without ends, 300 times",
        format!("<!doctype html><body>{}<p class=a>2</p>", "<b><i>x".repeat(300)),
    );
    pages
}
