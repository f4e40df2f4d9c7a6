//! Errors as the collection routes answer them.

use crate::json;
use nearside_engine::value::Object;
use worker::{Headers, Response, Result, web_sys};

/// Why a request to one of Nearside's own routes failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    NotFound,
    Method,
    TooLarge,
    NotJson,
    NotABatch,
    TooManyEvents,
    Unauthorized,
    CrossSite,
    NoProgram,
    Unavailable,
}

impl ApiError {
    /// The status, a code for programs and a sentence for people. Clients retry 408, 410 and 460 for ever,
    /// so none of those stands here.
    const fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::NotFound => (404, "not_found", "There is nothing at this address."),
            Self::Method => (
                405,
                "method_not_allowed",
                "This address does not take that method.",
            ),
            Self::TooLarge => (
                400,
                "too_large",
                "The body is larger than 500 KB: send smaller batches.",
            ),
            Self::NotJson => (400, "invalid_json", "The body is not JSON."),
            Self::NotABatch => (
                400,
                "invalid_request",
                "The body is no event, and no batch of events: {\"batch\": [...]}.",
            ),
            Self::TooManyEvents => (400, "too_many_events", "A batch has at most 2500 events."),
            Self::Unauthorized => (401, "unauthorized", "The bearer token is missing or wrong."),
            Self::CrossSite => (403, "cross_site", "Another site's page may not send this."),
            Self::NoProgram => (503, "no_program", "The edge has no program yet: try again soon."),
            Self::Unavailable => (
                503,
                "unavailable",
                "The events could not be handed on: send them again.",
            ),
        }
    }

    /// The answer.
    pub(crate) fn response(self) -> Result<web_sys::Response> {
        let (status, code, message) = self.parts();
        let mut object = Object::new();
        object.insert("code", code);
        object.insert("message", message);
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        headers.set("cache-control", "no-store")?;
        if status == 503 {
            headers.set("retry-after", "2")?;
        }
        let response = Response::from_bytes(json::write(&object.into()).into_bytes())?;
        Ok(response.with_status(status).with_headers(headers).into())
    }
}
