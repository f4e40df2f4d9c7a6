//! What the edge makes of mutations is in the page's bytes, and what it leaves to the browser is there soon after.

use crate::browser::script;
use crate::start;
use nearside_tests::client::Visitor;
use serde_json::json;
use xtask::stack::StackOptions;

const PAGE: &str = "/products/bikes/city-bike";

#[test]
fn what_the_edge_cannot_do_the_browser_does() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("mutations.json");
    let mutations = json!([
        {"op": "text", "selector": "h1.display-5", "value": "Edge"},
        {"op": "title", "value": "A <new> title"},
        {"op": "meta", "name": "description", "value": "A \"new\" description"},
        {"op": "meta", "property": "og:new", "value": "new"},
        {"op": "image", "selector": "img.card-img-top", "value": "/images/gravel-bike.svg", "alt": "Gravel"},
        {"op": "link", "selector": "a.navbar-brand", "value": "/cart"},
        {"op": "move", "selector": "footer", "to": "nav", "position": "before"}
    ]);
    let experiences = json!({"experiences": [
        {"id": "all", "pages": [{"path": PAGE}], "variants": [{"id": "one", "mutations": mutations}]}
    ]});
    std::fs::write(&manifest, experiences.to_string()).unwrap();
    let stack = start(StackOptions {
        manifest: Some(manifest),
        ..StackOptions::default()
    });
    let page = Visitor::new(&stack.edge.url()).get(PAGE).text();
    for part in [
        ">Edge</h1>",
        "<title>A &lt;new&gt; title</title>",
        "name=\"description\" content=\"A &quot;new&quot; description\"",
        "<meta property=\"og:new\" content=\"new\">",
        "src=\"/images/gravel-bike.svg\" alt=\"Gravel\"",
        "href=\"/cart\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}\n{page}"));
    assert!(
        place("<nav") < place("<footer"),
        "nothing is moved while the page streams"
    );

    let seen = script("mutations.cjs", &stack.edge.url(), &[PAGE]);
    assert_eq!(seen["footerIsBeforeNav"], true, "{seen}");
    assert_eq!(seen["headline"], "Edge");
    assert_eq!(seen["titles"], json!(["A <new> title"]));
    assert_eq!(seen["descriptions"], json!(["A \"new\" description"]));
    assert_eq!(seen["news"], json!(["new"]));
    assert_eq!(seen["errors"], json!([]));
}
