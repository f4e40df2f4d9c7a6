//! What is counted, as Prometheus reads it.

use super::App;
use super::body;
use super::error::ApiError;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The largest report of an edge.
const MAX_BODY: usize = 64 * 1024;
/// How many different ends of pages are counted: the edge has some dozens.
const MAX_ENDS: usize = 500;
/// The longest name of an end.
const MAX_NAME: usize = 40;
/// The most pages of one report: a larger number is a mistake.
const MAX_COUNT: u32 = 1_000_000_000;

/// How a page ended at the edge.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet, Deserialize)]
struct End {
    /// What happened to it, in the words of `Server-Timing`.
    outcome: String,
    /// Where the upstream's page was from; of a page of which the rest passed untouched, the reason.
    source: String,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(flatten)]
    end: End,
    count: u32,
}

#[derive(Deserialize)]
struct Report {
    pages: Vec<Counted>,
}

/// All that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    pages: Family<End, Counter>,
    /// The ends that are counted: a sender that names more gets no more.
    known: Mutex<HashSet<End>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("nearside");
        let pages = Family::default();
        registry.register(
            "edge_pages",
            "Pages that left the edge, by what happened to them and where the upstream's page was from",
            pages.clone(),
        );
        Self {
            registry,
            pages,
            known: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Counts all pages of a report, or none.
    fn count(&self, pages: &[Counted]) -> Result<(), ApiError> {
        let is_name = |name: &str| {
            let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_letter)
        };
        let is_sound = |page: &Counted| {
            is_name(&page.end.outcome) && is_name(&page.end.source) && page.count <= MAX_COUNT
        };
        if !pages.iter().all(is_sound) {
            return Err(ApiError::Parameter(
                "give `outcome` and `source` in lower-case letters, and a `count`",
            ));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: HashSet<&End> = pages
            .iter()
            .map(|page| &page.end)
            .filter(|end| !known.contains(*end))
            .collect();
        if known.len() + new.len() > MAX_ENDS {
            return Err(ApiError::Parameter("there are too many different pages"));
        }
        known.extend(new.into_iter().cloned().collect::<Vec<_>>());
        for page in pages {
            self.pages.get_or_create(&page.end).inc_by(page.count.into());
        }
        Ok(())
    }
}

/// Takes what an edge has counted.
pub(super) async fn count(State(app): State<App>, request: Request) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    app.access.check_edge(&parts.headers)?;
    let body = body::receive(body, MAX_BODY, &app.trusted).await?;
    let report: Report = serde_json::from_slice(body.bytes())
        .map_err(|_| ApiError::Parameter("give `pages`, each with `outcome`, `source` and `count`"))?;
    app.metrics.count(&report.pages)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows it all.
pub(super) async fn show(State(app): State<App>) -> Response {
    let mut text = String::new();
    if encode(&mut text, &app.metrics.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
