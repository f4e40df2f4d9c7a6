use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::*;
use std::time::Instant;
fn main() {
    let page = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let sels = [
        "h1",
        "header a",
        "nav a.active",
        ".btn",
        "#main",
        "footer p",
        ".product-title",
        "ul > li:first-child",
        "div.card .price",
        "img[alt]",
    ];
    for n in [0usize, 5, 30] {
        let selectors: Vec<String> = (0..n)
            .map(|i| {
                if i < 10 {
                    sels[i].to_string()
                } else {
                    format!("{}.x{i}", sels[i % 10])
                }
            })
            .collect();
        let edits: Vec<Edit> = selectors
            .iter()
            .enumerate()
            .map(|(i, s)| Edit {
                selector: s,
                operation: [Operation::Text, Operation::AddClass, Operation::After][i % 3],
                name: "",
                content: format!("v{i}"),
            })
            .collect();
        let settings = Settings {
            inject: Some("<script>x</script>"),
            charset: Some("utf-8"),
            ..Settings::default()
        };
        let mut best = [f64::MAX; 3];
        let known: Vec<&str> = selectors.iter().map(|s| &**s).collect();
        for _ in 0..200 {
            let t = Instant::now();
            let mut r = PageRewriter::new(&edits, settings).unwrap();
            let mut out = 0;
            for c in page.chunks(16384) {
                out += r.write(c).len();
            }
            out += r.end().len();
            best[0] = best[0].min(t.elapsed().as_secs_f64() * 1e6);
            let t = Instant::now();
            let plan = PagePlan::new(&page, &known, settings).unwrap();
            best[1] = best[1].min(t.elapsed().as_secs_f64() * 1e6);
            let t = Instant::now();
            let p = plan.splice(&page, &edits, settings.inject).unwrap();
            let j = joined(&page, &p);
            best[2] = best[2].min(t.elapsed().as_secs_f64() * 1e6);
            assert_eq!(j.len(), out);
        }
        println!(
            "{n} edits: stream {:.0} plan {:.0} splice {:.1} us",
            best[0], best[1], best[2]
        );
    }
}
