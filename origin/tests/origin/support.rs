//! An origin in this process, on a database in a temporary folder, asked without a socket.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use nearside_engine::event::{Arrival, Event};
use nearside_engine::fold::fold_profile;
use nearside_engine::program::Program;
use nearside_engine::state::State;
use nearside_engine::value::Value as EngineValue;
use nearside_origin::published::Published;
use nearside_origin::server::{Access, router};
use nearside_origin::store::Store;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const EDGE: (&str, &str) = ("authorization", "Bearer edge-secret");
pub(crate) const ADMIN: (&str, &str) = ("authorization", "Bearer admin-token");
/// `Basic base64("key:")`
pub(crate) const KEY: (&str, &str) = ("authorization", "Basic a2V5Og==");

pub(crate) const MANIFEST: &str = r#"{
    "site": {"traits": "shared"},
    "segments": {
        "buyer": {"when": {"$events": {"name": "Bought", "in": "visitor"}}},
        "regular": {"when": {"$events": {"name": "Seen", "in": "visitor", "count": {"$gte": 3}, "within": "30d"}}},
        "devoted": {"when": {"$events": {"name": "Seen", "in": "visitor", "count": {"$gte": 1000}}}},
        "gold": {"when": {"profile.traits.plan": "gold"}}
    }
}"#;

pub(crate) struct Origin {
    pub(crate) store: Store,
    router: Router,
    pub(crate) folder: TempDir,
}

pub(crate) fn access() -> Access {
    Access {
        edge_secret: Some("edge-secret".to_owned()),
        write_keys: vec!["other".to_owned(), "key".to_owned()],
        admin_token: Some("admin-token".to_owned()),
        allowed_origins: vec!["https://shop.example".parse().unwrap()],
    }
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let origin = Self::unpublished();
        origin.publish(MANIFEST).await;
        origin
    }

    pub(crate) fn unpublished() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("test.db")).unwrap();
        let router = router(store.clone(), access());
        Self {
            store,
            router,
            folder,
        }
    }

    pub(crate) async fn publish(&self, manifest: &str) {
        let manifest = serde_json::from_str(manifest).unwrap();
        let (published, warnings) = Published::compile(&manifest);
        assert_eq!(warnings, []);
        self.store.publish(&manifest, published).await.unwrap();
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        if parts.status.is_client_error() || parts.status.is_server_error() {
            let error: Value = serde_json::from_slice(&bytes).unwrap();
            assert!(
                error["code"].is_string() && error["message"].is_string(),
                "{error}"
            );
        }
        (parts.status, parts.headers, bytes)
    }

    pub(crate) async fn post(&self, path: &str, key: (&str, &str), body: impl Into<Body>) -> (u16, Value) {
        let (status, _, bytes) = self.send("POST", path, &[key], body).await;
        let body = match bytes.as_slice() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes).unwrap(),
        };
        (status.as_u16(), body)
    }

    pub(crate) async fn get(&self, path: &str, key: (&str, &str)) -> (u16, Value) {
        let (status, _, bytes) = self.send("GET", path, &[key], Body::empty()).await;
        (
            status.as_u16(),
            serde_json::from_slice(&bytes).unwrap_or_default(),
        )
    }

    /// Forwards messages as the edge does, and returns how many were accepted, known and invalid.
    pub(crate) async fn forward(&self, messages: &[Value]) -> (u64, u64, u64) {
        let body = serde_json::json!({ "batch": messages }).to_string();
        let (status, answer) = self.post("/v1/edge/events", EDGE, body).await;
        assert_eq!(status, 200, "{answer}");
        let number = |name: &str| answer[name].as_u64().unwrap();
        (number("accepted"), number("duplicate"), number("invalid"))
    }

    pub(crate) async fn profile(&self, query: &str) -> Value {
        self.get(&format!("/admin/v1/profiles?{query}"), ADMIN).await.1
    }

    pub(crate) async fn events(&self, query: &str) -> Vec<Value> {
        let (status, events) = self
            .get(&format!("/admin/v1/events?{query}&limit=1000"), ADMIN)
            .await;
        assert_eq!(status, 200);
        events.as_array().unwrap().clone()
    }

    /// The profile's state must be what folding all its events in the order of their arrival gives.
    pub(crate) async fn assert_refolds(&self, query: &str) {
        let profile = self.profile(query).await;
        let events = self.events(query).await;
        assert_eq!(
            profile["state"],
            refold(&self.store.published().program, &profile, &events),
            "{query}"
        );
    }
}

/// What the state of a profile with these events is, by nothing but the engine.
pub(crate) fn refold(program: &Program, profile: &Value, events: &[Value]) -> Value {
    let mut state = State::new(program);
    for row in events {
        let message: EngineValue = serde_json::from_value(row["message"].clone()).unwrap();
        let arrival = Arrival {
            received_at: row["receivedAt"].as_i64().unwrap(),
            sent_at: None,
        };
        let id = row["messageId"].as_str().unwrap();
        let mut event = Event::from_message(&message, arrival, id).unwrap();
        event.time = row["timestamp"].as_i64().unwrap();
        fold_profile(program, &mut state, &event);
    }
    state.profile.user_id = profile["userId"].as_str().map(str::to_owned);
    nearside_engine::base64url::encode(&state.to_bytes(program)).into()
}
