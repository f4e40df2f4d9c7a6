//! The HTTP service.

mod access;
mod admin;
mod body;
mod collect;
mod cors;
mod edge;
mod error;
mod health;
mod key;
mod limits;
mod listen;
mod metrics;

pub use access::Access;
pub use listen::serve;

use crate::store::Store;
use axum::Router;
use axum::middleware;
use axum::routing::{get, post, put};
use error::ApiError;
use limits::Bounds;
use metrics::Metrics;
use std::sync::Arc;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    /// What everybody who collects shares.
    pub(crate) public: Arc<Bounds>,
    /// What the edge and operators share.
    pub(crate) trusted: Arc<Bounds>,
    pub(crate) metrics: Arc<Metrics>,
}

/// All routes of the service.
pub fn router(store: Store, access: Access) -> Router {
    let cors = cors::layer(&access.allowed_origins);
    let app = App {
        store,
        access: Arc::new(access),
        public: Bounds::new(),
        trusted: Bounds::new(),
        metrics: Arc::default(),
    };
    // Clients may be given an address with a path, and some end theirs with a slash.
    let collect = Router::new()
        .route("/v1/{call}", post(collect::collect))
        .route("/v1/{call}/", post(collect::collect))
        .route("/{prefix}/v1/{call}", post(collect::collect))
        .route("/{prefix}/v1/{call}/", post(collect::collect))
        // Set here, so that it lies inside of the layer, which answers `OPTIONS` before it.
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // Inside too: a page must be able to read that it took too long.
        .layer(middleware::from_fn(limits::in_time))
        .layer(cors);
    let trusted = Router::new()
        .route("/v1/edge/program", get(edge::program))
        .route("/v1/edge/snapshot", get(edge::snapshot))
        .route("/v1/edge/events", post(edge::events))
        .route("/v1/edge/counts", post(metrics::count))
        .route("/admin/v1/profiles", get(admin::profile))
        .route("/admin/v1/events", get(admin::events))
        .route("/admin/v1/outcomes", get(admin::outcomes))
        .route("/admin/v1/manifest", put(admin::publish))
        .route("/admin/v1/preview", post(admin::preview))
        .layer(middleware::from_fn(limits::in_time))
        .layer(middleware::from_fn_with_state(
            app.trusted.clone(),
            limits::in_turn,
        ));
    Router::new()
        .merge(collect)
        .merge(trusted)
        // What watches the service is answered when it is busy, too.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .with_state(app)
}
