//! What the cases run on: the raw upstream; before it the built edge worker, and beside that a plain pass-through
//! worker, both in one stock workerd; and the real origin, which has published a program.

use crate::client::{self, Answer, Request};
use crate::upstream::{Seen, Step, Upstream, html};
use nearside_tests::wait;
use nearside_tests::workerd::{EdgeSettings, Worker, Workerd};
use serde_json::json;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use xtask::stack::{self, Origin, OriginOptions};

/// The text that the edge puts into each page's `<h1>`.
pub(crate) const GREETING: &str = "Grüße, 日本 → €5";

/// What an operator shows to the origin.
pub(crate) const ADMIN_TOKEN: &str = "an-operator-of-the-tests";

/// Everything that runs.
pub(crate) struct Rig {
    pub(crate) upstream: Upstream,
    pub(crate) workerd: Workerd,
    pub(crate) origin: Origin,
    _folder: TempDir,
}

/// By which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the upstream itself.
    Direct,
    /// Through a worker that does nothing but `fetch(url, request)`: what differs here is the runtime's doing.
    PassThrough,
    /// Through Nearside.
    Edge,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) answer: Answer,
    /// What the upstream got for it.
    pub(crate) seen: Vec<Seen>,
}

impl Exchange {
    /// The one request that the upstream got.
    #[track_caller]
    pub(crate) fn only(&self) -> &Seen {
        assert_eq!(self.seen.len(), 1, "the upstream is asked once: {:?}", self.seen);
        &self.seen[0]
    }
}

/// The rig that all tests share. It ends with this process.
pub(crate) fn rig() -> &'static Rig {
    static RIG: OnceLock<Rig> = OnceLock::new();
    RIG.get_or_init(Rig::start)
}

/// A worker that a person would write first.
const PASS_THROUGH: &str = "export default { fetch(request, env) {
    const url = new URL(request.url);
    return fetch(env.UPSTREAM + url.pathname + url.search, request);
} }";

fn manifest() -> serde_json::Value {
    let redirect = |id: &str, path: &str, to: &str| {
        json!({"id": id, "kind": "redirect", "pages": [{"path": path}], "variants": [
            {"id": "there", "mutations": [{"op": "redirect", "value": to, "keepQuery": true}]}]})
    };
    json!({"site": {"exclude": [{"path": "/excluded/*"}]}, "experiences": [
        {"id": "greeting", "variants": [{"id": "warm", "mutations": [
            {"op": "text", "selector": "h1", "value": GREETING}]}]},
        redirect("moved", "/moved", "/there"),
        {"id": "stays", "kind": "redirect", "pages": [{"path": "/stays"}], "variants": [
            {"id": "here"}, {"id": "there", "weight": 0, "mutations": [{"op": "redirect", "value": "/there"}]}]},
        redirect("first", "/first", "/second?own=1#part"),
        redirect("second", "/second", "/first"),
        redirect("itself", "/itself", "/itself#part"),
    ]})
}

impl Rig {
    fn start() -> Self {
        Self::with(&manifest(), Workerd::start)
    }

    /// One of its own for a test, with this manifest and a workerd that is started like this.
    pub(crate) fn with(
        manifest: &serde_json::Value,
        start: impl FnOnce(&[Worker]) -> anyhow::Result<Workerd>,
    ) -> Self {
        stack::ensure_built().unwrap();
        let folder = tempfile::Builder::new()
            .prefix("nearside-proxying-")
            .tempdir()
            .unwrap();
        let file = folder.path().join("manifest.json");
        std::fs::write(&file, manifest.to_string()).unwrap();
        let origin = Origin::start(OriginOptions {
            port: stack::free_port().unwrap(),
            folder: folder.path().to_path_buf(),
            manifest: file,
            edge_secret: stack::DEVELOPMENT_EDGE_SECRET.to_owned(),
            write_key: stack::DEVELOPMENT_WRITE_KEY.to_owned(),
            arguments: vec!["--admin-token".to_owned(), ADMIN_TOKEN.to_owned()],
        });
        let origin = origin.unwrap();
        let upstream = Upstream::start();
        let address = format!("http://127.0.0.1:{}", upstream.port());
        let settings = EdgeSettings {
            upstream: address.clone(),
            origin: origin.url(),
            ..EdgeSettings::default()
        };
        let nobody = EdgeSettings {
            upstream: format!("http://127.0.0.1:{}", stack::free_port().unwrap()),
            ..settings.clone()
        };
        let workerd = start(&[
            Worker::edge("edge", &settings).unwrap(),
            Worker::edge("edge-of-nobody", &nobody).unwrap(),
            Worker::script("pass", PASS_THROUGH).with_variable("UPSTREAM", &address),
        ]);
        let rig = Self {
            upstream,
            workerd: workerd.unwrap(),
            origin,
            _folder: folder,
        };
        wait::until("the edge has its program", || {
            let page = rig.exchange(Way::Edge, &Request::page("/"), &[Step::Send(html("", b"<p>"))]);
            (page.answer.outcome()? != "no-program").then_some(())
        });
        rig
    }

    pub(crate) fn port(&self, way: Way) -> u16 {
        match way {
            Way::Direct => self.upstream.port(),
            Way::PassThrough => self.workerd.port("pass"),
            Way::Edge => self.workerd.port("edge"),
        }
    }

    /// The upstream's own address, as it would write it into a `Location`.
    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.upstream.port())
    }

    /// A new case, for which the upstream does these steps.
    pub(crate) fn case(&self, steps: &[Step]) -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let case = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
        self.upstream.prepare(&case, steps.to_vec());
        case
    }

    /// Sends a request; the upstream answers with these steps.
    pub(crate) fn exchange(&self, way: Way, request: &Request, steps: &[Step]) -> Exchange {
        let case = self.case(steps);
        let answer = client::ask(self.port(way), request, &case);
        Exchange {
            answer,
            seen: self.upstream.seen(&case),
        }
    }
}

/// Sends a request through the edge; the upstream answers with these bytes.
pub(crate) fn through_edge(request: &Request, answer: &[u8]) -> Exchange {
    rig().exchange(Way::Edge, request, &[Step::Send(answer.to_vec())])
}
