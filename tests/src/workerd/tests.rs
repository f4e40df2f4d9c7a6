use super::*;
use crate::client::Visitor;

#[test]
fn workers_have_ports_and_variables_of_their_own() {
    let source = "export default { fetch: (request, env) => new Response(env.SAID) }";
    let said = "a \"quoted\" \\ text,\nwith a line and ä";
    let workerd = Workerd::start(&[
        Worker::script("one", source).with_variable("SAID", said),
        Worker::script("two", source).with_variable("SAID", "two"),
    ])
    .unwrap();
    assert_eq!(Visitor::new(&workerd.url("one")).get("/").text(), said);
    assert_eq!(Visitor::new(&workerd.url("two")).get("/").text(), "two");
}

#[test]
fn what_does_not_start_shows_what_workerd_said() {
    let error = Workerd::start(&[Worker::script("broken", "export default {")]).unwrap_err();
    assert!(error.to_string().contains("SyntaxError"), "{error}");
}

#[test]
fn the_cache_api_keeps_answers_in_memory() {
    let source = "export default { async fetch(request) {
        const key = new Request('http://cache/' + new URL(request.url).pathname);
        if (request.method === 'POST') {
            const headers = { 'cache-control': request.headers.get('x-control'), 'x-kept': 'yes' };
            await caches.default.put(key, new Response(request.body, { headers }));
            return new Response('put');
        }
        const found = await caches.default.match(key);
        return found ?? new Response('nothing');
    } }";
    let workerd = Workerd::start(&[
        Worker::script("keeper", source).with_cache("cache"),
        Worker::memory_cache("cache"),
    ])
    .unwrap();
    let mut visitor = Visitor::new(&workerd.url("keeper"));
    let mut put = |path: &str, control: &str, body: &str| {
        let answer = visitor.send("POST", path, &[("x-control", control)], body);
        assert_eq!(answer.text(), "put", "{}", workerd.said());
    };
    let long = "a page\r\n\r\n".repeat(20_000);
    put("/kept", "public, max-age=60", &long);
    put("/private", "private, max-age=60", "page");
    let kept = visitor.get("/kept");
    assert_eq!(
        (kept.text().as_str(), kept.header("x-kept")),
        (long.as_str(), Some("yes"))
    );
    assert_eq!(visitor.get("/private").text(), "nothing");
    assert_eq!(visitor.get("/other").text(), "nothing");
}

#[test]
fn the_edge_passes_pages_without_wrangler() {
    let shop = stack::Shop::start(0).unwrap();
    let settings = EdgeSettings {
        upstream: shop.url(),
        ..EdgeSettings::default()
    };
    let workerd = Workerd::start(&[Worker::edge("edge", &settings).unwrap()]).unwrap();
    let answer = Visitor::new(&workerd.url("edge")).get("/");
    assert_eq!((answer.status, answer.outcome()), (200, Some("no-program")));
    assert_eq!(answer.body, Visitor::new(&shop.url()).get("/").body);
}
