//! Edits on elements whose end tags were left out.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{PageRewriter, RewriteError, Settings, rewrite};

fn edit<'a>(selector: &'a str, operation: Operation, content: &str) -> Edit<'a> {
    Edit {
        selector,
        operation,
        name: "",
        content: content.to_owned(),
    }
}

/// The same result for every split of the page.
#[track_caller]
fn check_all(page: &str, edits: &[Edit<'_>], expected: &str) {
    for chunk in 1..=page.len() {
        let output = rewrite(page.as_bytes(), edits, chunk).unwrap();
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output, expected, "in chunks of {chunk}");
    }
}

#[track_caller]
fn check(page: &str, selector: &str, operation: Operation, content: &str, expected: &str) {
    check_all(page, &[edit(selector, operation, content)], expected);
}

const PAGE: &str = "<div><p id=p1>one<h2>two</h2><p>three</div><ul><li id=l1>A<li>B<li>C</ul>\
                    <ol><li id=l3>A<li>B</ol><footer>x</footer>";

#[test]
fn an_end_tag_without_a_name_is_none() {
    let page = "<p>a<div>b</div>c<ul><li><b>d</></b></ul>e";
    check(
        page,
        "div",
        Operation::Unwrap,
        "",
        "<p>a</p>bc<ul><li><b>d</></b></ul>e",
    );
    check(
        "<b>d</></b></></i>e<p>f",
        "p",
        Operation::After,
        "g",
        "<b>d</></b></></i>e<p>f</p>g",
    );
}

#[test]
fn a_heading_s_end_tag_ends_whichever_heading_is_open() {
    let page = "<h1 id=a>a<ul><h2 id=b>b</H3>c</ul></h1>d<p>e<h4 id=c>f</h1>g";
    check(
        page,
        "#b",
        Operation::After,
        "<i>n</i>",
        &page.replace("</H3>", "</H3><i>n</i>"),
    );
    check(page, "#b", Operation::Text, "n", &page.replace(">b<", ">n<"));
    check(
        page,
        "#b",
        Operation::Remove,
        "",
        &page.replace("<h2 id=b>b</H3>", ""),
    );
    check(
        page,
        "#a",
        Operation::Append,
        "n",
        &page.replace("</h1>d", "n</h1>d"),
    );
    check(
        page,
        "#c",
        Operation::Unwrap,
        "",
        &page.replace("<h4 id=c>f</h1>", "</p>f"),
    );
}

#[test]
fn each_operation() {
    let cases = [
        (
            "#p1",
            Operation::Text,
            "NEW",
            "<p id=p1>one<h2>",
            "<p id=p1>NEW<h2>",
        ),
        ("#p1", Operation::Remove, "", "<p id=p1>one<h2>", "<h2>"),
        ("#p1", Operation::Replace, "<hr>", "<p id=p1>one<h2>", "<hr><h2>"),
        (
            "#p1",
            Operation::After,
            "<b>x</b>",
            "one<h2>",
            "one</p><b>x</b><h2>",
        ),
        ("#l1", Operation::Remove, "", "<li id=l1>A<li>", "<li>"),
        (
            "#l3",
            Operation::Html,
            "<i>y</i>",
            "<li id=l3>A<li>",
            "<li id=l3><i>y</i><li>",
        ),
        (
            "#l3",
            Operation::Append,
            "<b>x</b>",
            "<li id=l3>A<li>",
            "<li id=l3>A<b>x</b><li>",
        ),
        (
            "#l3",
            Operation::Prepend,
            "<b>x</b>",
            "<li id=l3>A<li>",
            "<li id=l3><b>x</b>A<li>",
        ),
        (
            "#l3",
            Operation::After,
            "<li>y</li>",
            "<li id=l3>A<li>",
            "<li id=l3>A<li>y</li><li>",
        ),
        (
            "#l3",
            Operation::After,
            "y",
            "<li id=l3>A<li>",
            "<li id=l3>A</li>y<li>",
        ),
        (
            "div > p:nth-child(3)",
            Operation::After,
            "!",
            "three</div>",
            "three</p>!</div>",
        ),
        (
            "ol > li:nth-child(2)",
            Operation::Text,
            "!",
            "<li>B</ol>",
            "<li>!</ol>",
        ),
        (
            "ul > li:nth-child(3)",
            Operation::Remove,
            "",
            "<li>C</ul>",
            "</li></ul>",
        ),
        ("ul", Operation::Append, "x", "C</ul>", "C</li>x</ul>"),
        ("ul", Operation::Append, "<li>x", "C</ul>", "C<li>x</ul>"),
        ("div", Operation::Append, "x", "three</div>", "three</p>x</div>"),
        ("h2", Operation::Remove, "", "<h2>two</h2>", "</p>"),
        ("h2", Operation::Before, "x", "<h2>two", "</p>x<h2>two"),
        (
            "h2",
            Operation::Before,
            "<div>x</div>",
            "<h2>two",
            "<div>x</div><h2>two",
        ),
    ];
    for (selector, operation, content, from, to) in cases {
        assert!(PAGE.contains(from), "{from}");
        check(PAGE, selector, operation, content, &PAGE.replacen(from, to, 1));
    }
}

#[test]
fn what_ends_an_element() {
    let text = Operation::Text;
    let cases = [
        ("<dl><dt id=x>a<dd>b<dt>c</dl>", "<dl><dt id=x>!<dd>b<dt>c</dl>"),
        (
            "<dl><dd id=x>a<ul><li>b</ul><p>c<dd>d</dl>",
            "<dl><dd id=x>!<dd>d</dl>",
        ),
        (
            "<ul><li id=x>a<ul><li>b<li>c</ul>d<li>e</ul>f",
            "<ul><li id=x>!<li>e</ul>f",
        ),
        (
            "<table><tr><td id=x>a<table><tr><td>b</table>c<td>d<tr><td>e</table>f",
            "<table><tr><td id=x>!<td>d<tr><td>e</table>f",
        ),
        (
            "<table><tr id=x><td>a<tr><td>b</table>c",
            "<table><tr id=x>!<tr><td>b</table>c",
        ),
        (
            "<table><tbody id=x><tr><th>a<td>b<tbody><tr><td>c</table>d",
            "<table><tbody id=x>!<tbody><tr><td>c</table>d",
        ),
        (
            "<table><caption id=x>a<tr><td>b</table>",
            "<table><caption id=x>!<tr><td>b</table>",
        ),
        (
            "<select><optgroup><option id=x>a<option>b<optgroup><option>c</select>d",
            "<select><optgroup><option id=x>!<option>b<optgroup><option>c</select>d",
        ),
        (
            "<select><optgroup id=x><option>a<optgroup><option>c</select>d",
            "<select><optgroup id=x>!<optgroup><option>c</select>d",
        ),
        (
            "<ruby>a<rt id=x>b<rp>c<rt>d</ruby>e",
            "<ruby>a<rt id=x>!<rp>c<rt>d</ruby>e",
        ),
        (
            "<p id=x>a<button><div>b</div></button>c<div>d</div>",
            "<p id=x>!<div>d</div>",
        ),
        (
            "<!doctype html><p id=x>a<table></table>",
            "<!doctype html><p id=x>!<table></table>",
        ),
        ("<p id=x>a<table></table>b<hr>", "<p id=x>!<hr>"),
        ("<p id=x>a<object><p>b<p>c</object>d<pre>", "<p id=x>!<pre>"),
        ("<a id=x>a<a>b</a>c", "<a id=x>!<a>b</a>c"),
        (
            "<body><section><p id=x>a</section>b",
            "<body><section><p id=x>!</section>b",
        ),
        ("<div><span id=x>a</div>b", "<div><span id=x>!</div>b"),
        ("<div id=x><p>a<div>b</div></p>c</div>d", "<div id=x>!</div>d"),
        ("<div id=x><p>a<div>b</p>c</div>d</div>e", "<div id=x>!</div>e"),
        ("<div id=x><b><div>a</b>b</div>c</div>d", "<div id=x>!</div>d"),
        (
            "<ul id=x><li><table><tr><td>a</li>b</table></ul>c",
            "<ul id=x>!</ul>c",
        ),
        (
            "<div id=x><table><tr><td></div>b</table></div>c",
            "<div id=x>!</div>c",
        ),
        ("<p id=x>a<svg><title>b</title><path></svg>c<p>d", "<p id=x>!<p>d"),
        (
            "<p id=x>a<svg><foreignObject><p>b</p></foreignObject></svg>c<p>d",
            "<p id=x>!<p>d",
        ),
        (
            "<p id=x>a<script>'<p>'</script><!-- <p> -->b<P>c",
            "<p id=x>!<P>c",
        ),
        ("<p id=x>a<Long-Custom-Element>b<p>c", "<p id=x>!<p>c"),
        ("<p id=x>a", "<p id=x>!"),
        ("<p id=x>a<b", "<p id=x>!"),
    ];
    for (page, expected) in cases {
        check(page, "#x", text, "!", expected);
    }
}

#[test]
fn the_end_of_the_page_ends_what_is_open() {
    check(
        "<body><p>a",
        "body",
        Operation::Append,
        "<b>x</b>",
        "<body><p>a</p><b>x</b>",
    );
    check(
        "<ul><li id=x>a\n",
        "#x",
        Operation::After,
        "<li>y",
        "<ul><li id=x>a\n<li>y",
    );
    // What broke off stays as it is.
    for page in [
        "<p>a<b",
        "<p>a</",
        "<p>a<!--",
        "<p>a<!-- >",
        "<p>a</b",
        "<p><script>a",
        "<p><title>a",
        "<p>a<?x",
    ] {
        check(page, "p", Operation::Append, "x", page);
    }
}

#[test]
fn an_end_tag_is_written_where_the_new_tag_does_not_imply_it() {
    check(
        "<ul><li id=x><section>a</ul>",
        "#x",
        Operation::After,
        "<li>b",
        "<ul><li id=x><section>a</li><li>b</ul>",
    );
    check(
        "<ul id=x><li><section>a</ul>",
        "#x",
        Operation::Append,
        "<li>b",
        "<ul id=x><li><section>a</li><li>b</ul>",
    );
}

#[test]
fn edits_compose() {
    check_all(
        "<ul><li id=x>a<b>c</b><li>d</ul>",
        &[
            edit("#x", Operation::Append, "1"),
            edit("#x", Operation::Text, "2"),
            edit("#x b", Operation::Append, "3"),
            edit("#x", Operation::After, "4"),
            edit("#x", Operation::After, "<li>5"),
            edit("#x", Operation::Before, "6"),
            edit("#x", Operation::Prepend, "7"),
            edit("#x", Operation::Append, "8"),
        ],
        "<ul>6<li id=x>728</li><li>54<li>d</ul>",
    );
    check_all(
        "<ul id=x><li>a</ul>",
        &[
            edit("#x", Operation::Append, "1"),
            edit("#x", Operation::Append, "2"),
            edit("li", Operation::Append, "3"),
            edit("li", Operation::Replace, "4"),
            edit("li", Operation::Append, "5"),
            edit("li", Operation::Before, "6"),
        ],
        "<ul id=x>6412</ul>",
    );
    check_all(
        "<div><p>a</div><p>b<p>c<hr>",
        &[
            edit("p", Operation::Remove, ""),
            edit("div", Operation::Append, "1"),
            edit("hr", Operation::Remove, ""),
        ],
        "<div>1</div>",
    );
    check_all(
        "<p id=x>a<p>b",
        &[
            edit("#x", Operation::Replace, "1"),
            edit("#x", Operation::Replace, "2"),
            edit("#x", Operation::Append, "3"),
            edit("#x", Operation::After, "4"),
            edit("#x", Operation::Remove, ""),
        ],
        "24<p>b",
    );
    check_all(
        "<p>0<p id=x>a<p>b",
        &[
            edit("#x", Operation::After, "1"),
            edit("#x", Operation::Remove, ""),
        ],
        "<p>0</p>1<p>b",
    );
}

#[test]
fn nothing_but_edits_changes() {
    let pages = [
        PAGE,
        "<!doctype html><html><head><title>a</title><link rel=x><body class=a><p>b<br>c</p></body></html>\n",
        "<b><p>a</b>b</p></b></p><br></br></p></div>",
        "<table>a<tr>b<td>c</p></table></td></b>",
        "<p><p><p></p></p></p></x></ x></><![CDATA[x]]>",
        "<svg><![CDATA[<p>]]></svg><math><mi><p>a</p></mi></math>",
        "<textarea><p></textarea><plaintext><p></p>",
        "<a href=\"'>'\">x</a title='>' x=y\">z>",
    ];
    for page in pages {
        check(page, "#none", Operation::Remove, "", page);
    }
}

/// The end tags of SVG's elements do not reach beyond a paragraph that HTML in them has left open.
#[test]
fn html_in_a_drawing_ends_as_in_the_browser() {
    check(
        "<p>a<svg><foreignObject><p id=x>b</foreignObject></svg><b>c</b>",
        "#x > b",
        Operation::Text,
        "!",
        "<p>a<svg><foreignObject><p id=x>b</foreignObject></svg><b>!</b>",
    );
}

/// What HTML breaks out of ends before it, and so it does when something else comes to stand there.
#[test]
fn html_ends_the_drawing_that_it_breaks_out_of() {
    check(
        "<div><svg><g><div id=x>b</div>c</div>",
        "div > #x",
        Operation::Before,
        "d",
        "<div><svg><g></svg>d<div id=x>b</div>c</div>",
    );
    check(
        "<div id=x><svg><g></div>b",
        "#x",
        Operation::Append,
        "d",
        "<div id=x><svg><g></svg>d</div>b",
    );
    check(
        "<p id=x>a<svg><g>b</p>c",
        "#x",
        Operation::After,
        "d",
        "<p id=x>a<svg><g>b</p>dc",
    );
    check(
        "<svg><g></p><b>c</b>",
        "svg b",
        Operation::Remove,
        "",
        "<svg><g></p><b>c</b>",
    );
    check(
        "<svg><font><g id=x>c</g></font></svg><svg><font color=red><i>d</i>",
        "svg > font > #x, svg i",
        Operation::AddClass,
        "y",
        "<svg><font><g id=x class=\"y\">c</g></font></svg><svg><font color=red><i>d</i>",
    );
}

/// `<math>` in SVG is SVG.
#[test]
fn mathematics_in_a_drawing_are_drawn() {
    for (page, expected) in [
        (
            "<div><svg><math></svg><textarea><b></textarea><b>c</b></div>",
            "<div><svg><math></svg><textarea><b></textarea></div>",
        ),
        (
            "<div><svg><math></svg></div><textarea><b></textarea><b>c</b>",
            "<div><svg><math></svg></div><textarea><b></textarea>",
        ),
    ] {
        check(page, "b", Operation::Remove, "", expected);
    }
}

/// What stands in a tag that the page breaks off in is no end tag.
#[test]
fn a_page_that_ends_in_a_tag_keeps_its_end() {
    for page in [
        "<ul><li>x<a title=\"</ul>",
        "<div><p>x<i title='</div><b>'",
        "<html><head><meta a=\"></html>",
    ] {
        check(page, "td", Operation::Append, "new", page);
    }
}

/// White space belongs to a head whose end tag was left out, and the text after it does not.
#[test]
fn a_head_ends_where_text_begins() {
    check(
        "<!doctype html><head><title>t</title> \n text",
        "head",
        Operation::Append,
        "<meta>",
        "<!doctype html><head><title>t</title> \n <meta>text",
    );
}

/// The end of what has not begun begins it, and so ends the head.
#[test]
fn a_head_ends_where_the_body_does() {
    for end in ["</body>", "</html>", "</br>"] {
        check(
            &format!("<head><link>{end}<p>x"),
            "head",
            Operation::Append,
            "<meta>",
            &format!("<head><link><meta>{end}<p>x"),
        );
    }
}

/// Whatever a page has tags for, it is a document with a head and a body.
#[test]
fn the_document_is_there_without_its_tags() {
    check(
        "<!doctype html><title>t</title><p id=x>a</p><p>b",
        "html > body > p:first-child",
        Operation::Text,
        "!",
        "<!doctype html><title>t</title><p id=x>!</p><p>b",
    );
    check(
        "<!doctype html>text<p>b</body></html><p>c",
        "body:nth-child(2) > p",
        Operation::AddClass,
        "d",
        "<!doctype html>text<p class=\"d\">b</body></html><p class=\"d\">c",
    );
    check(
        "<!doctype html><html><p>a",
        "html",
        Operation::Append,
        "b",
        "<!doctype html><html><p>a</p>b",
    );
}

/// The parts of a table are there without their tags.
#[test]
fn a_table_has_its_parts_without_their_tags() {
    let page = "<table><tr><td>a<tr><td>b</table><table><td>c<td>d<col></table>";
    for (selector, expected) in [
        (
            "table > tbody > tr:nth-child(2) > td",
            "<table><tr><td>a<tr><td>!</table><table><td>c<td>d<col></table>",
        ),
        (
            "table > tbody:first-child > tr:first-child > td:nth-child(2)",
            "<table><tr><td>a<tr><td>b</table><table><td>c<td>!<col></table>",
        ),
        ("table > tr td, table > td, tbody > td", page),
        ("colgroup > col", page),
    ] {
        check(page, selector, Operation::Text, "!", expected);
    }
}

/// There is one document, with one head and one body; and no form in a form.
#[test]
fn tags_that_the_browser_ignores_are_no_elements() {
    check(
        "<!doctype html><body><p class=a>1</p><body class=a><p>2</p></body>",
        ".a",
        Operation::AddClass,
        "b",
        "<!doctype html><body><p class=\"a b\">1</p><body class=a><p>2</p></body>",
    );
    check(
        "<!doctype html><body><form id=x>a<form id=y>b</form>c</form>d",
        "form",
        Operation::Append,
        "!",
        "<!doctype html><body><form id=x>a<form id=y>b!</form>c</form>d",
    );
}

/// What follows the body's end tag is content of the body.
#[test]
fn what_comes_after_the_body_stands_in_it() {
    let page = "<!doctype html><body class=home><p>a</p></body></html>\n<p>b</p></body><p>c";
    check(
        page,
        ".home > p:nth-child(n+2)",
        Operation::AddClass,
        "d",
        "<!doctype html><body class=home><p>a</p></body></html>\n<p class=\"d\">b</p></body><p class=\"d\">c",
    );
    check(
        page,
        "body",
        Operation::Append,
        "<i>!</i>",
        &page.replacen("</body>", "<i>!</i></body>", 1),
    );
    check(
        "<body><div>a</html>b",
        "body",
        Operation::Append,
        "!",
        "<body><div>a</div>!</html>b",
    );
    check(
        "<html><body><div>a</body></html>",
        "html",
        Operation::Append,
        "!",
        "<html><body><div>a</body></div>!</html>",
    );
    let page = "<!doctype html><body><div class=w><p>a</p></body><div class=late>x</div>";
    check(
        page,
        ".w > .late:nth-child(2)",
        Operation::Text,
        "!",
        &page.replace(">x<", ">!<"),
    );
    check(page, "body > .late", Operation::Text, "!", page);
    check(
        "<!doctype html><body><p>a</body><p class=b>c",
        ".b",
        Operation::Before,
        "x",
        "<!doctype html><body><p>a</body></p>x<p class=b>c",
    );
    check(
        "<body><svg></body><style><p>a</style>",
        "svg > style",
        Operation::AddClass,
        "s",
        "<body><svg></body><style class=\"s\"><p>a</style>",
    );
}

/// The body begins with its end tag, and with what is none of the head although it is no element.
#[test]
fn the_body_begins_where_the_head_cannot_go_on() {
    for page in [
        "<!doctype html></body><meta>",
        "<!doctype html><head></html><meta>",
        "<!doctype html><head><td><meta>",
        "<!doctype html><head></head><frame><meta>",
    ] {
        check(
            page,
            "html > body:nth-child(2) > meta:first-child",
            Operation::AddClass,
            "d",
            &page.replace("<meta>", "<meta class=\"d\">"),
        );
    }
    let page = "<frameset></html><frame><p>a</p></frameset><p>b</p><noframes>c</noframes>";
    check(page, "p, body *", Operation::AddClass, "d", page);
    check(
        page,
        "frame:first-child, html > frameset:nth-child(2)",
        Operation::AddClass,
        "d",
        "<frameset class=\"d\"></html><frame class=\"d\"><p>a</p></frameset><p>b</p><noframes>c</noframes>",
    );
}

/// The browser makes a paragraph or a break of an end tag that ends none.
#[test]
fn end_tags_that_make_elements_are_counted() {
    for (page, place) in [
        ("<div>a</p><b>c</b></div>", 2),
        ("<div><p>a</p></p><b>c</b></div>", 3),
        ("<div>a</br><b>c</b></div>", 2),
        ("<div>a</i></span><b>c</b></div>", 1),
        ("</p><b>c</b>", 1),
        ("</br><b>c</b>", 2),
        ("<div><svg><g></p><b>c</b></div>", 3),
        ("<table><tr></p><td><b>c</b></table>", 1),
    ] {
        check(
            page,
            &format!("b:nth-child({place})"),
            Operation::Text,
            "!",
            &page.replace("<b>c", "<b>!"),
        );
    }
}

/// Parts of tables are none where no table is; frames stand in framesets, and nothing else does.
#[test]
fn tags_without_a_place_are_no_elements() {
    for page in [
        "<body><td>a<tr><col><caption><b>c</b>",
        "<body><frame><frameset><b>c</b>",
        "<body><template><td>a</template><tr><b>c</b>",
    ] {
        let place = 1 + usize::from(page.contains("template"));
        check(
            page,
            &format!("body > b:nth-child({place})"),
            Operation::Text,
            "!",
            &page.replace("<b>c", "<b>!"),
        );
    }
    check(
        "<frameset><p>a</p><frame><noframes>x</noframes></frameset>",
        "frameset > :not(frame, noframes), frame p",
        Operation::Text,
        "!",
        "<frameset><p>a</p><frame><noframes>x</noframes></frameset>",
    );
}

/// `<image>` is an old name of `<img>`, but in SVG it has its own meaning.
#[test]
fn an_image_is_an_img() {
    check(
        "<p><image src=a><i>b</i><svg><image></image></svg>",
        "p > img, p > i:nth-child(2), svg > image",
        Operation::AddClass,
        "c",
        "<p><image src=a class=\"c\"><i class=\"c\">b</i><svg><image class=\"c\"></image></svg>",
    );
}

/// Without a document type, or with an old one, the case of classes and ids makes no difference.
#[test]
fn classes_and_ids_are_in_any_case_where_the_document_is_old() {
    let page = "<body><p class='A b'>1</p><p id=X>2</p><p title=A>3</p>";
    let selector = ".a, #x, [class~=a], [title=a]";
    check(
        page,
        selector,
        Operation::Text,
        "!",
        "<body><p class='A b'>!</p><p id=X>!</p><p title=A>3</p>",
    );
    check(page, "[class~=a], [id=x], .a[title]", Operation::Text, "!", page);
    let page = format!("<!doctype html>{page}");
    check(&page, selector, Operation::Text, "!", &page);
}

/// What a script fetches and puts into a document is none, but has the tags that it has.
#[test]
fn a_fragment_is_what_its_tags_say() {
    check(
        "<tr class=a><td>1</td></tr><tr class=A><td>2</td></tr>",
        "tr.a > td:first-child",
        Operation::Text,
        "!",
        "<tr class=a><td>!</td></tr><tr class=A><td>2</td></tr>",
    );
    check(
        "<option class=a>1<option class=A>2",
        ".a",
        Operation::Text,
        "!",
        "<option class=a>!<option class=A>2",
    );
}

/// A head's tag that comes after something of the head makes no second head, and what it holds is the first one's.
#[test]
fn a_head_whose_tag_comes_late_is_one() {
    let page = "<!doctype html><meta charset=utf-8><head class=x><title>t</title></head><body><p>a";
    check(
        page,
        "html > .x, body:nth-child(3)",
        Operation::AddClass,
        "y",
        page,
    );
    check(
        page,
        "head:first-child > title:nth-child(2)",
        Operation::Text,
        "!",
        &page.replace(">t<", ">!<"),
    );
}

/// For the browser there is one head, and both its tags are that one's.
#[test]
fn a_second_head_ends_with_the_first() {
    check(
        "<!doctype html><html><head><head><title>t</title>Old text <b>b</b>",
        "html > head",
        Operation::After,
        "<!-- after -->",
        "<!doctype html><html><head><head><title>t</title></head><!-- after -->Old text <b>b</b>",
    );
}

#[test]
fn a_deep_page_that_is_searched_again_and_again_passes() {
    let page = [
        "<b>".repeat(5_000),
        "</h1>a".repeat(20_000),
        "<p class=x>b".into(),
    ]
    .concat();
    let edits = [edit(".x", Operation::Text, "c")];
    let mut rewriter = PageRewriter::new(&edits, Settings::default()).unwrap();
    let mut output = rewriter.write(page.as_bytes());
    output.extend(rewriter.end());
    assert_eq!(rewriter.failure(), Some(RewriteError::Depth));
    assert_eq!(output, page.as_bytes());
}

/// Counting is bounded, whatever names a page makes up.
#[test]
fn children_of_very_many_names_are_counted_as_far_as_it_goes() {
    let names: String = (0..30_000)
        .map(|number| format!("<x{number}></x{number}>"))
        .collect();
    // What is over counts no more.
    let page = format!("<div><p>a</p>{names}<q>b</q><p>c</p></div><div><q>d</q><q>e</q></div>");
    let expected = page
        .replace("<p>c</p>", "<p>!</p>")
        .replace("<q>e</q>", "<q>!</q>");
    let edits = [
        edit("p:nth-of-type(2)", Operation::Text, "!"),
        edit("q:nth-of-type(2n)", Operation::Text, "!"),
    ];
    let output = rewrite(page.as_bytes(), &edits, 1_000).unwrap();
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn what_follows_a_drawing_without_content_is_html() {
    check(
        "<p>a<svg class='x'/><section><script>'</section>'</script><b>c</b><p id=y>d</section>e",
        "#y",
        Operation::After,
        "f",
        "<p>a<svg class='x'/><section><script>'</section>'</script><b>c</b><p id=y>d</p>f</section>e",
    );
    check(
        "<ul><li>a<math/><li>b</ul>",
        "math",
        Operation::After,
        "c",
        "<ul><li>a<math/>c<li>b</ul>",
    );
}
