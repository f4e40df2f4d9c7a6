//! Who may do what.

use super::error::ApiError;
use axum::http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq;

/// The secrets that callers must know. That a missing one is acceptable was decided before.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// What the edge knows; `None`: everybody is taken for the edge.
    pub edge_secret: Option<String>,
    /// What clients collect with; none: any key will do.
    pub write_keys: Vec<String>,
    /// What operators know; `None`: the admin routes are closed.
    pub admin_token: Option<String>,
    /// The sites whose pages may collect from another origin than their own.
    pub allowed_origins: Vec<HeaderValue>,
}

impl Access {
    /// Whether any key is taken.
    pub(crate) fn takes_any_key(&self) -> bool {
        self.write_keys.is_empty()
    }

    pub(crate) fn check_write_key(&self, key: Option<&str>) -> Result<(), ApiError> {
        if self.takes_any_key() {
            return Ok(());
        }
        let key = key.unwrap_or_default();
        // All keys are compared, so that the time does not tell which of them is near.
        let known = self
            .write_keys
            .iter()
            .fold(false, |known, candidate| known | same(candidate, key));
        if known { Ok(()) } else { Err(ApiError::WriteKey) }
    }

    pub(crate) fn check_edge(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match &self.edge_secret {
            None => Ok(()),
            Some(secret) if bearer(headers).is_some_and(|token| same(secret, token)) => Ok(()),
            Some(_) => Err(ApiError::Unauthorized("the edge secret")),
        }
    }

    pub(crate) fn check_admin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match &self.admin_token {
            None => Err(ApiError::AdminClosed),
            Some(secret) if bearer(headers).is_some_and(|token| same(secret, token)) => Ok(()),
            Some(_) => Err(ApiError::Unauthorized("the admin token")),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares in a time that does not tell how much of it is right.
fn same(secret: &str, given: &str) -> bool {
    secret.as_bytes().ct_eq(given.as_bytes()).into()
}
