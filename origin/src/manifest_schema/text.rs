//! Plain values with a form of their own.

use schemars::JsonSchema;

/// A length of time: `250ms`, `30s`, `15m`, `2h` or `7d`; at most ten years.
#[derive(Debug, JsonSchema)]
#[schemars(extend("examples" = ["30s", "15m", "2h", "7d"]))]
pub struct Duration(#[schemars(regex(pattern = "^0*[1-9][0-9]*(ms|s|m|h|d)$"))] pub String);

/// An instant as RFC 3339 writes it, such as `2026-11-21T10:00:00Z`, or in milliseconds since 1970.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Instant {
    /// An instant as RFC 3339 writes it; in UTC unless it has an offset.
    Text(
        #[schemars(regex(
            pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?$"
        ))]
        String,
    ),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Milliseconds(#[schemars(range(min = 0))] f64),
}

/// A number.
#[derive(Debug, JsonSchema)]
#[schemars(inline)]
pub struct Number(pub f64);

/// A part of all visitors, from 0 to 1.
#[derive(Debug, JsonSchema)]
#[schemars(inline)]
pub struct Share(#[schemars(range(min = 0, max = 1))] pub f64);

/// A number, or text: texts are ordered as JavaScript orders them.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, inline)]
pub enum Comparable {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

/// A version such as `1.4.0`.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, inline)]
pub enum Version {
    /// As text.
    Text(String),
    /// As a number.
    Number(f64),
}

/// What a list of values may hold: text, a number, `true`, `false` or `null`.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, inline)]
pub enum GroupValue {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null(()),
}

/// The path of a value of an event: `type`, `name`, `properties.…`, `context.…` or `traits.…`.
#[derive(Debug, JsonSchema)]
pub struct EventPath(
    #[schemars(regex(pattern = r"^(type|name|(properties|context|traits)(\.[^.]+)*)$"))] pub String,
);

/// The path of an attribute that a decision may read, such as `profile.userId` or `request.geo.country`.
#[derive(Debug, JsonSchema)]
pub struct PathOfDecision(
    #[schemars(regex(
        pattern = r"^(visitor\.id|request(\.[^.]+)+|session\.(number|isNew|pageViews|duration|landingPage|referrer|campaign(\.[^.]+)?)|profile\.(traits(\.[^.]+)+|consent\.[^.]+|userId|identified|firstSeenAt|sessions)|score\.[^.]+|affinity\.[^.]+\.(top|second|weight(\.[^.]+)+))$"
    ))]
    pub String,
);

/// The path of an attribute of the profile, such as `profile.traits.plan`.
#[derive(Debug, JsonSchema)]
pub struct ProfilePath(
    #[schemars(regex(pattern = r"^profile\.(traits(\.[^.]+)+|userId|identified|firstSeenAt)$"))] pub String,
);
