//! All words that a manifest may hold where the language fixes them: members, operators, names to choose from.
//!
//! They are listed here and nowhere else: what checks for unknown members takes a list from here, so that
//! [`vocabulary`] leaves none out. The manifest's JSON Schema is held against it.

/// The words that may stand at one kind of place.
#[derive(Debug)]
pub struct Words {
    /// What the place is called.
    pub of: &'static str,
    /// The words, each once.
    pub words: &'static [&'static str],
}

impl Words {
    /// Whether the word is one of them.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

macro_rules! vocabulary {
    ($($name:ident: $of:literal = [$($word:literal),+ $(,)?];)+) => {
        $(pub(super) const $name: Words = Words { of: $of, words: &[$($word),+] };)+

        /// All words of the language, by the kind of place they may stand at.
        pub fn vocabulary() -> &'static [Words] {
            &[$($name),+]
        }
    };
}

vocabulary! {
    MANIFEST: "the manifest" = [
        "$schema", "segments", "experiences", "features", "groups", "site", "scores", "affinities", "attributes",
        "description",
    ];
    ATTRIBUTE: "an attribute that ages" = ["maxAge", "whenStale", "description"];
    WHEN_STALE: "whenStale" = ["use", "unknown"];
    STALE_DEFAULT: "a value for a stale one" = ["default"];
    SITE: "the site" = ["exclude", "consent", "traits"];
    CONSENT: "consent" = ["granted", "required"];
    TRAITS: "traits" = ["own", "shared"];
    SEGMENT: "a segment" = ["when", "description"];
    EXPERIENCE: "an experience" = [
        "id", "description", "pages", "segment", "when", "status", "schedule", "requires", "keepQuery", "group",
        "priority", "variants", "goal", "kind", "purpose", "name",
    ];
    ASSIGNMENT: "an assignment" = [
        "seed", "hashVersion", "hashAttribute", "fallbackAttribute", "filters", "traffic", "holdout", "sticky",
        "queryOverride", "release",
    ];
    FILTER: "a filter" = ["seed", "hashVersion", "attribute", "ranges", "lasting"];
    TRAFFIC_STEP: "a step of a ramp" = ["from", "share"];
    STICKY: "sticky" = ["version", "minVersion"];
    PAGE: "a page pattern" = ["path", "url"];
    SCHEDULE: "a schedule" = ["from", "to"];
    STATUS: "status" = ["running", "paused", "draft", "stopped"];
    KIND: "kind" = ["personalization", "experiment", "redirect"];
    VARIANT: "a variant" = ["id", "name", "description", "weight", "range", "mutations", "redirect"];
    MUTATION: "a mutation" = ["op", "selector", "name", "value", "description"];
    MOVE: "a move" = ["op", "selector", "to", "position", "description"];
    POSITION: "where to something is moved" = ["before", "after", "prepend", "append"];
    IMAGE: "an image" = ["op", "selector", "value", "alt", "description"];
    TITLE: "a title" = ["op", "value", "description"];
    META: "a meta" = ["op", "name", "property", "value", "description"];
    REDIRECT: "a redirect" = ["op", "value", "keepQuery", "description"];
    FEATURE: "a feature" = ["default", "rules", "description"];
    RULE: "a rule" = [
        "id", "key", "description", "gate", "requires", "when", "segment", "status", "schedule", "value", "range",
        "variants",
    ];
    FEATURE_VARIANT: "a feature's variant" = [
        "id", "name", "description", "value", "weight", "range", "passThrough",
    ];
    SCORE: "a score" = ["on", "halfLife", "cap", "description"];
    AFFINITY: "an affinity" = ["of", "on", "halfLife", "cap", "keep", "description"];
    EVENT_WITH_POINTS: "an event with points" = ["type", "name", "where", "points"];
    EVENT_TYPE: "an event's type" = ["page", "track", "identify", "screen", "group", "alias"];
    CONDITION: "a condition" = [
        "$and", "$or", "$nor", "$not", "$events", "$segment", "$sequence", "$held", "$feature",
    ];
    EVENTS: "$events" = [
        "type", "name", "where", "in", "within", "by", "count", "sum", "min", "max", "avg", "distinct", "first", "last",
        "mostFrequent",
    ];
    AGGREGATE: "an aggregate of $events" = [
        "count", "sum", "min", "max", "avg", "distinct", "first", "last", "mostFrequent",
    ];
    SCOPE: "in" = ["session", "visitor"];
    AGO: "how long ago" = ["ago"];
    OF_AND_IS: "this" = ["of", "is"];
    SEQUENCE: "$sequence" = ["steps", "within", "in", "by", "completed"];
    STEP: "a step" = ["type", "name", "where", "within"];
    NOT_STEP: "a step with `not`" = ["not", "for"];
    EVENT: "an event" = ["type", "name", "where"];
    HELD: "$held" = ["path", "is", "for"];
    FEATURE_TEST: "$feature" = ["id", "path", "is"];
    NEAR: "$near" = ["lat", "lon", "km"];
    VALUE_OPERATOR: "an operator of a value" = [
        "$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin", "$exists", "$type", "$size", "$elemMatch", "$all",
        "$not", "$and", "$or", "$nor", "$between", "$startsWith", "$endsWith", "$contains", "$startsWithi",
        "$endsWithi", "$containsi", "$ini", "$nini", "$alli", "$veq", "$vne", "$vlt", "$vlte", "$vgt", "$vgte",
        "$inGroup", "$notInGroup", "$near", "$regex", "$regexi",
    ];
    NUMBER_OPERATOR: "an operator of a number" = [
        "$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin", "$between", "$not", "$and", "$or", "$nor",
    ];
    VALUE_TYPE: "a value's type" = ["string", "number", "boolean", "array", "object", "null", "undefined"];
    REQUEST: "an attribute of the request" = [
        "request.url", "request.host", "request.path", "request.search", "request.target", "request.query",
        "request.utm", "request.referrer", "request.language", "request.geo", "request.geo.country",
        "request.geo.region", "request.geo.city", "request.geo.timezone", "request.geo.lat", "request.geo.lon",
        "request.gpc", "request.device", "request.device.type", "request.device.os", "request.browser",
        "request.browser.name", "request.browser.version", "request.bot", "request.time.hour",
        "request.time.weekday", "request.time.offset", "request.nothing",
    ];
    SESSION: "an attribute of the session" = [
        "session.number", "session.isNew", "session.pageViews", "session.duration", "session.landingPage",
        "session.referrer", "session.campaign",
    ];
    PROFILE: "an attribute of the profile" = [
        "profile.traits", "profile.userId", "profile.identified", "profile.firstSeenAt", "profile.sessions",
        "profile.consent",
    ];
}
