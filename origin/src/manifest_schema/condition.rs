//! Conditions: over what is known when something is decided, over an event, over the members of a value.

use super::attributes::Attributes;
use super::events::Events;
use super::quantity::Quantity;
use super::sequence::Sequence;
use super::shape::never_null;
use super::text::{Duration, Number, ProfilePath};
use super::value_test::{ElementTest, ValueTest};
use schemars::{JsonSchema, Schema};
use serde_json::json;

/// A condition over what is known of the visitor, the request and the session; all members must hold.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = never_null)]
pub struct Condition {
    /// All of these hold.
    #[schemars(rename = "$and")]
    pub and: Option<Vec<Condition>>,
    /// At least one of these holds.
    #[schemars(rename = "$or")]
    pub or: Option<Vec<Condition>>,
    /// None of these holds.
    #[schemars(rename = "$nor")]
    pub nor: Option<Vec<Condition>>,
    /// This does not hold.
    #[schemars(rename = "$not")]
    pub not: Option<Box<Condition>>,
    /// How often, how recently, how much: events of the session, or of all that is known of the visitor.
    #[schemars(rename = "$events")]
    pub events: Option<Events>,
    /// In which order: one event after another.
    #[schemars(rename = "$sequence")]
    pub sequence: Option<Sequence>,
    /// For how long an attribute of the profile has fitted without a break.
    #[schemars(rename = "$held")]
    pub held: Option<Held>,
    /// The visitor is in this segment.
    #[schemars(rename = "$segment")]
    pub segment: Option<String>,
    /// What the value of a feature is; not in a segment's condition.
    #[schemars(rename = "$feature")]
    pub feature: Option<FeatureTest>,
    /// The visitor's id.
    #[schemars(rename = "visitor.id")]
    pub visitor_id: Option<ValueTest>,
    /// The page's address without the fragment.
    #[schemars(rename = "request.url")]
    pub request_url: Option<ValueTest>,
    /// The page's host.
    #[schemars(rename = "request.host")]
    pub request_host: Option<ValueTest>,
    /// The page's path. `request.query.NAME` is a parameter, `request.utm.NAME` one that begins with `utm_`.
    #[schemars(rename = "request.path")]
    pub request_path: Option<ValueTest>,
    /// The page's query with its `?`.
    #[schemars(rename = "request.search")]
    pub request_search: Option<ValueTest>,
    /// The page's path and query.
    #[schemars(rename = "request.target")]
    pub request_target: Option<ValueTest>,
    /// Where the visitor came from, as the browser says.
    #[schemars(rename = "request.referrer")]
    pub request_referrer: Option<ValueTest>,
    /// The language that the visitor likes best, such as `de-AT`.
    #[schemars(rename = "request.language")]
    pub request_language: Option<ValueTest>,
    /// Whether the browser asks not to sell or share what is known (Global Privacy Control).
    #[schemars(rename = "request.gpc")]
    pub request_gpc: Option<ValueTest>,
    /// Where the visitor is: an object with `lat` and `lon`, for `$near`.
    #[schemars(rename = "request.geo")]
    pub request_geo: Option<ValueTest>,
    /// The country, as two capital letters.
    #[schemars(rename = "request.geo.country")]
    pub request_country: Option<ValueTest>,
    /// The region.
    #[schemars(rename = "request.geo.region")]
    pub request_region: Option<ValueTest>,
    /// The city.
    #[schemars(rename = "request.geo.city")]
    pub request_city: Option<ValueTest>,
    /// The latitude, in degrees.
    #[schemars(rename = "request.geo.lat")]
    pub request_latitude: Option<ValueTest>,
    /// The longitude, in degrees.
    #[schemars(rename = "request.geo.lon")]
    pub request_longitude: Option<ValueTest>,
    /// The parameters of the address.
    #[schemars(rename = "request.query")]
    pub request_query: Option<ValueTest>,
    /// The parameters of the address that begin with `utm_`.
    #[schemars(rename = "request.utm")]
    pub request_utm: Option<ValueTest>,
    /// What the visitor holds in their hands: an object with `type` and `os`.
    #[schemars(rename = "request.device")]
    pub request_device: Option<ValueTest>,
    /// `mobile`, `tablet`, `desktop`, `tv` or `console`.
    #[schemars(rename = "request.device.type")]
    pub request_device_type: Option<ValueTest>,
    /// `android`, `ios`, `windows`, `macos`, `linux`, `chromeos`, `tizen` or `webos`.
    #[schemars(rename = "request.device.os")]
    pub request_device_os: Option<ValueTest>,
    /// The browser: an object with `name` and `version`.
    #[schemars(rename = "request.browser")]
    pub request_browser: Option<ValueTest>,
    /// The browser's name in small letters: `chrome`, `safari`, `firefox`, `edge`…
    #[schemars(rename = "request.browser.name")]
    pub request_browser_name: Option<ValueTest>,
    /// The browser's version: a whole number.
    #[schemars(rename = "request.browser.version")]
    pub request_browser_version: Option<ValueTest>,
    /// Whether it is a program that visits the page, and says so.
    #[schemars(rename = "request.bot")]
    pub request_bot: Option<ValueTest>,
    /// The hour that the visitor's clock shows: 0 to 23.
    #[schemars(rename = "request.time.hour")]
    pub request_hour: Option<Quantity<Number>>,
    /// The day of the week where the visitor is: 1, Monday, to 7.
    #[schemars(rename = "request.time.weekday")]
    pub request_weekday: Option<Quantity<Number>>,
    /// How many minutes the visitor's clock is ahead of UTC.
    #[schemars(rename = "request.time.offset")]
    pub request_offset: Option<Quantity<Number>>,
    /// What never has a value: an importer writes it for what it cannot ask.
    #[schemars(rename = "request.nothing")]
    pub request_nothing: Option<ValueTest>,
    /// The time zone, such as `Europe/Vienna`.
    #[schemars(rename = "request.geo.timezone")]
    pub request_timezone: Option<ValueTest>,
    /// The how manyth session this is.
    #[schemars(rename = "session.number")]
    pub session_number: Option<ValueTest>,
    /// Whether this is the visitor's first session.
    #[schemars(rename = "session.isNew")]
    pub session_is_new: Option<ValueTest>,
    /// How many pages were seen in this session.
    #[schemars(rename = "session.pageViews")]
    pub session_page_views: Option<ValueTest>,
    /// For how many seconds the session has lasted.
    #[schemars(rename = "session.duration")]
    pub session_duration: Option<Quantity<Number>>,
    /// The path of the page that the session began with.
    #[schemars(rename = "session.landingPage")]
    pub session_landing_page: Option<ValueTest>,
    /// Where the visitor came from when the session began.
    #[schemars(rename = "session.referrer")]
    pub session_referrer: Option<ValueTest>,
    /// The campaign that the session began with: `session.campaign.source` and so on.
    #[schemars(rename = "session.campaign")]
    pub session_campaign: Option<ValueTest>,
    /// The user id that the visitor was identified with.
    #[schemars(rename = "profile.userId")]
    pub profile_user_id: Option<ValueTest>,
    /// Whether the visitor was identified.
    #[schemars(rename = "profile.identified")]
    pub profile_identified: Option<ValueTest>,
    /// When the visitor was first seen.
    #[schemars(rename = "profile.firstSeenAt")]
    pub profile_first_seen_at: Option<ValueTest>,
    /// How many sessions there were in this browser, the one that is going on included.
    #[schemars(rename = "profile.sessions")]
    pub profile_sessions: Option<ValueTest>,
    /// Attributes with names of the site's own.
    #[schemars(flatten)]
    pub attributes: Attributes,
}

/// A condition over an event; all members must hold.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = never_null, transform = of_event)]
pub struct EventCondition {
    /// All of these hold.
    #[schemars(rename = "$and")]
    pub and: Option<Vec<EventCondition>>,
    /// At least one of these holds.
    #[schemars(rename = "$or")]
    pub or: Option<Vec<EventCondition>>,
    /// None of these holds.
    #[schemars(rename = "$nor")]
    pub nor: Option<Vec<EventCondition>>,
    /// This does not hold.
    #[schemars(rename = "$not")]
    pub not: Option<Box<EventCondition>>,
    /// The event's type: `page`, `track`, `identify`…
    #[schemars(rename = "type")]
    pub kind: Option<ValueTest>,
    /// The event's name.
    pub name: Option<ValueTest>,
}

fn of_event(schema: &mut Schema) {
    let test = json!({"$ref": "#/$defs/ValueTest"});
    schema.insert(
        "patternProperties".to_owned(),
        json!({r"^(properties|context|traits)(\.[^.]+)*$": test}),
    );
}

/// A condition over the members of an object, by their paths; all members must hold.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = never_null, transform = of_members)]
pub struct MemberCondition {
    /// All of these hold.
    #[schemars(rename = "$and")]
    pub and: Option<Vec<MemberCondition>>,
    /// At least one of these holds.
    #[schemars(rename = "$or")]
    pub or: Option<Vec<MemberCondition>>,
    /// None of these holds.
    #[schemars(rename = "$nor")]
    pub nor: Option<Vec<MemberCondition>>,
    /// This does not hold.
    #[schemars(rename = "$not")]
    pub not: Option<Box<MemberCondition>>,
}

fn of_members(schema: &mut Schema) {
    let test = json!({"$ref": "#/$defs/ValueTest"});
    schema.insert(
        "patternProperties".to_owned(),
        json!({r"^[^$.][^.]*(\.[^.]+)*$": test}),
    );
}

/// For how long an attribute of the profile has fitted.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Held {
    /// The attribute, such as `profile.traits.plan`.
    pub path: ProfilePath,
    /// What it must have been all the time.
    #[schemars(extend("not" = {"type": "null"}))]
    pub is: ElementTest,
    /// For how long, such as `14d`.
    #[schemars(rename = "for")]
    pub duration: Duration,
}

/// What the value of a feature is.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FeatureTest {
    /// The feature's name.
    pub id: String,
    /// A path within the value.
    pub path: Option<String>,
    /// What must hold for the value.
    pub is: ValueTest,
}
