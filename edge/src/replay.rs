//! `POST /_ns/v1/replay`: what this edge would decide on a log of events, for those who hold the edge's secret.
//!
//! The body is a log as `nearside replay` takes it; the answer has the same lines, for the program in force, with
//! their explanations for `?explain`.

use crate::error::ApiError;
use crate::programs::Loaded;
use crate::{body, config::Config, json};
use nearside_engine::replay::{LoggedEvent, Replay};
use worker::{Headers, Response, Result, web_sys};

/// The largest log, in bytes.
const MAX_LOG: usize = 16 * 1024 * 1024;

/// Answers a replay.
pub(crate) async fn handle(
    request: &web_sys::Request,
    loaded: Option<&Loaded>,
    config: &Config,
) -> Result<web_sys::Response> {
    if request.method() != "POST" {
        return ApiError::Method.response();
    }
    let given = Headers(request.headers())
        .get("authorization")?
        .unwrap_or_default();
    if !is_secret(
        given.strip_prefix("Bearer ").unwrap_or_default(),
        config.edge_secret.as_deref(),
    ) {
        return ApiError::Unauthorized.response();
    }
    let Some(loaded) = loaded else {
        return ApiError::NoProgram.response();
    };
    let Some(body) = body::read(request, MAX_LOG).await? else {
        return ApiError::TooLarge.response();
    };
    let explained = request.url().ends_with("?explain");
    let mut replay = Replay::new(&loaded.program);
    let mut output = String::new();
    for (index, line) in body
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let Some(message) = json::read(line) else {
            return ApiError::NotJson.response();
        };
        match LoggedEvent::read(index + 1, &message, None) {
            Ok(logged) if explained => output.push_str(&json::write(&replay.step_explained(&logged))),
            Ok(logged) => output.push_str(&json::write(&replay.step(&logged))),
            Err(_) => return ApiError::NotABatch.response(),
        }
        output.push('\n');
    }
    let headers = Headers::new();
    headers.set("content-type", "application/x-ndjson")?;
    Ok(Response::from_bytes(output.into_bytes())?
        .with_headers(headers)
        .into())
}

/// Compares in a time that does not tell where the two differ.
fn is_secret(given: &str, secret: Option<&str>) -> bool {
    let Some(secret) = secret else { return false };
    let difference = given
        .bytes()
        .zip(secret.bytes())
        .fold(0, |difference, (a, b)| difference | (a ^ b));
    given.len() == secret.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn secrets() {
        assert!(is_secret("abc", Some("abc")));
        for (given, secret) in [
            ("", None),
            ("", Some("abc")),
            ("ab", Some("abc")),
            ("abd", Some("abc")),
            ("abcd", Some("abc")),
        ] {
            assert!(!is_secret(given, secret), "{given}");
        }
    }
}
