//! The workers that are compared: the same edits, each in its own way.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use xtask::process::output;
use xtask::setup;
use xtask::stack::{DEVELOPMENT_EDGE_SECRET, DEVELOPMENT_WRITE_KEY, Origin, OriginOptions, free_port};

use super::load::Crowd;
use super::pages::{Page, folder};
use super::upstream::{Next, Upstream};
use crate::client::Visitor;
use crate::wait;
use crate::workerd::{EdgeSettings, Worker, Workerd};

/// Passes pages as they come.
pub const PASS: &str = "pass-through";
/// The runtime's HTMLRewriter.
pub const HTML_REWRITER: &str = "html-rewriter";
/// A DOM by node-html-parser.
pub const NODE_HTML_PARSER: &str = "node-html-parser";
/// The edge worker.
pub const OURS: &str = "nearside";

/// What the runtime itself takes for the steps of which a way to change pages can be made, by the address.
pub const FLOORS: &str = "floors";

/// How many edits a page may get, by its address.
pub const COUNTS: [usize; 2] = [5, 30];

/// The site and all workers, running.
#[derive(Debug)]
pub struct Stage {
    /// All workers in one process.
    pub workerd: Workerd,
    /// What the edge gets its program from.
    pub origin: Origin,
    /// The site.
    pub upstream: Upstream,
    _folder: TempDir,
}

impl Stage {
    /// Starts everything, and waits until the edge has its program.
    ///
    /// # Errors
    /// When something does not start.
    pub fn start(pages: &[Page]) -> Result<Self> {
        let upstream = Upstream::start(pages);
        let folder = tempfile::tempdir()?;
        let manifest = folder.path().join("manifest.json");
        fs::write(&manifest, manifest_of(pages).to_string())?;
        let origin = Origin::start(OriginOptions {
            port: free_port()?,
            folder: folder.path().to_path_buf(),
            manifest,
            edge_secret: DEVELOPMENT_EDGE_SECRET.to_owned(),
            write_key: DEVELOPMENT_WRITE_KEY.to_owned(),
            arguments: Vec::new(),
        })?;
        let settings = EdgeSettings {
            upstream: upstream.url(),
            origin: origin.url(),
            ..EdgeSettings::default()
        };
        let mut workers = vec![
            Worker::external("queue", upstream.address()),
            Worker::memory_cache("cache"),
            Worker::edge(OURS, &settings)?
                .with_queue("NEARSIDE_EVENTS", "queue")
                .with_cache("cache"),
        ];
        for name in [PASS, HTML_REWRITER, NODE_HTML_PARSER, FLOORS] {
            let worker = Worker::script(name, &source(name, pages)?);
            let worker = worker.with_variable("UPSTREAM", &upstream.url());
            workers.push(worker.with_queue("NEARSIDE_EVENTS", "queue"));
        }
        let workerd = Workerd::start(&workers)?;
        let mut visitor = Visitor::new(&workerd.url(OURS));
        let page = format!(
            "/streamed/{}/5",
            pages.first().context("there are no pages")?.name
        );
        wait::until("the edge has the program", || {
            (visitor.get(&page).outcome() != Some("no-program")).then_some(())
        });
        Ok(Self {
            workerd,
            origin,
            upstream,
            _folder: folder,
        })
    }
}

impl Stage {
    /// Makes the origin know these visitors, as it knows everybody who has seen a page: each sees one, and the
    /// queue hands that on. What they do later, the queue keeps.
    pub fn introduce(&self, crowd: &mut Crowd, path: &str) {
        self.upstream.hand_on(Some(Next {
            url: format!("{}/v1/edge/events", self.origin.url()),
            bearer: DEVELOPMENT_EDGE_SECRET.to_owned(),
        }));
        let known = self.upstream.posted();
        crowd.ask_once(path);
        let all = known + crowd.size() as u64;
        wait::until("the origin knows the visitors", || {
            (self.upstream.posted() >= all).then_some(())
        });
        self.upstream.hand_on(None);
    }
}

/// What the origin publishes: the edits of each page for everybody, by the page's address.
fn manifest_of(pages: &[Page]) -> Value {
    let mut experiences = Vec::new();
    for page in pages {
        for count in COUNTS {
            experiences.push(json!({
                "id": format!("page-{}-{count}", page.name),
                "pages": [{"path": format!("/:way/{}/{count}", page.name)}],
                "variants": [{"id": "all", "mutations": page.mutations(count)}]
            }));
        }
    }
    json!({"site": {"exclude": [{"path": "/excluded/*"}]}, "experiences": experiences})
}

/// A peer's worker: the edits, what the peers have in common, and its own way.
fn source(name: &str, pages: &[Page]) -> Result<String> {
    let mut edits = Map::new();
    for page in pages {
        for count in COUNTS {
            edits.insert(format!("{}/{count}", page.name), page.mutations(count).into());
        }
    }
    let read =
        |file: &str| fs::read_to_string(folder().join(file)).with_context(|| format!("cannot read {file}"));
    let source = format!(
        "const EDITS = {};\n{}\n{}",
        Value::Object(edits),
        read("common.mjs")?,
        read(&format!("{name}.mjs"))?
    );
    if name != NODE_HTML_PARSER {
        return Ok(source);
    }
    // Its package is bundled, as for any worker.
    let temporary = tempfile::tempdir()?;
    let file = temporary.path().join("worker.mjs");
    fs::write(&file, source)?;
    let mut esbuild = Command::new(setup::npm_tools()?.esbuild()?);
    esbuild
        .arg(&file)
        .args(["--bundle", "--format=esm", "--minify", "--platform=browser"])
        .env("NODE_PATH", setup::rewriters()?);
    output(&mut esbuild)
}
