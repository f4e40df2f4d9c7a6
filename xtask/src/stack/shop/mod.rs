//! The demo shop: the upstream of `cargo xtask dev` and of the end-to-end tests.
//!
//! A template that nobody here wrote, served as a plain static site would be: correct lengths, types and
//! entity tags, conditional requests, a redirect, and a page of its own for what is not there.

mod catalogue;
mod pages;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use catalogue::{PRODUCTS, Product};
use pages::{Page, Site};

use crate::setup;

/// The running shop. It ends when this is dropped.
#[derive(Debug)]
pub struct Shop {
    address: SocketAddr,
    switches: Arc<Switches>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// What tests turn while the shop runs.
#[derive(Debug, Default)]
struct Switches {
    requests: AtomicU64,
}

struct Served {
    site: Site,
    switches: Arc<Switches>,
}

impl Shop {
    /// Starts the shop on loopback; on a free port if `port` is 0.
    pub fn start(port: u16) -> Result<Self> {
        let site = pages::site(&setup::npm_tools()?.modules())?;
        let switches = Arc::new(Switches::default());
        let served = Arc::new(Served {
            site,
            switches: Arc::clone(&switches),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("demo-shop")
            .enable_io()
            .enable_time()
            .build()
            .context("cannot start the demo shop's threads")?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            .with_context(|| format!("the demo shop cannot listen on port {port}: is it in use?"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            let router = Router::new().fallback(answer).with_state(served);
            runtime.block_on(async {
                // Not a graceful end: that would wait for every connection that a client keeps open.
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Ok(Self {
            address,
            switches,
            stop: Some(stop),
            server: Some(server),
        })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many requests have come in.
    pub fn requests(&self) -> u64 {
        self.switches.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

async fn answer(State(served): State<Arc<Served>>, request: Request) -> Response<Body> {
    served.switches.requests.fetch_add(1, Ordering::Relaxed);
    respond(&served.site, &request)
}

/// The answer to one request; it depends on nothing else.
fn respond(site: &Site, request: &Request) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    if !is_head && request.method() != Method::GET {
        let mut response = status_only(StatusCode::METHOD_NOT_ALLOWED);
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if request.uri().path() == "/old" {
        let mut response = status_only(StatusCode::FOUND);
        response
            .headers_mut()
            .insert(header::LOCATION, HeaderValue::from_static("/"));
        return response;
    }
    let Some(page) = site.pages.get(request.uri().path()) else {
        return with_page(StatusCode::NOT_FOUND, &site.not_found, is_head);
    };
    let known = request.headers().get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == entity_tag(&page.content).as_bytes()) {
        let mut response = status_only(StatusCode::NOT_MODIFIED);
        set_entity_tag(&mut response, page);
        return response;
    }
    let mut response = with_page(StatusCode::OK, page, is_head);
    set_entity_tag(&mut response, page);
    let caching = if page.content_type.starts_with("text/html") {
        "no-cache"
    } else {
        "public, max-age=300"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

fn status_only(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn with_page(status: StatusCode, page: &Page, is_head: bool) -> Response<Body> {
    // A HEAD request gets the same headers, the length of what it would have got among them.
    let body = if is_head {
        Body::empty()
    } else {
        Body::from(page.content.clone())
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(page.content.len()));
    response
}

fn set_entity_tag(response: &mut Response<Body>, page: &Page) {
    if let Ok(tag) = HeaderValue::from_str(&entity_tag(&page.content)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
}

fn entity_tag(content: &[u8]) -> String {
    let hash: String = Sha256::digest(content)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hash}\"")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn site() -> Site {
        let page = |content: &str| Page {
            content_type: "text/html; charset=utf-8",
            content: content.into(),
        };
        Site {
            pages: BTreeMap::from([("/".to_owned(), page("home"))]),
            not_found: page("nothing here"),
        }
    }

    fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        respond(&site(), &request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_page_has_its_length_and_an_entity_tag_that_is_honoured() {
        let response = ask("GET", "/?utm_source=x", &[]);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-length"], "4");
        let tag = response.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(
            ask("GET", "/", &[("if-none-match", &tag)]).status(),
            StatusCode::NOT_MODIFIED
        );
    }

    #[test]
    fn a_head_request_gets_the_length_of_the_page() {
        assert_eq!(ask("HEAD", "/", &[]).headers()["content-length"], "4");
    }

    #[test]
    fn what_is_not_there_has_a_page_of_its_own() {
        let response = ask("GET", "/nowhere", &[]);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    }

    #[test]
    fn an_old_address_leads_home() {
        let response = ask("GET", "/old", &[]);
        assert_eq!(
            (response.status(), &response.headers()["location"]),
            (StatusCode::FOUND, &HeaderValue::from_static("/"))
        );
    }

    #[test]
    fn other_methods_are_refused() {
        assert_eq!(ask("POST", "/", &[]).status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
