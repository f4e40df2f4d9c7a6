//! Which of GrowthBook's attributes is which in the decision's document.

use std::collections::BTreeMap;

/// The attributes that GrowthBook's SDKs fill in themselves.
const OWN: [(&str, &str); 11] = [
    ("id", "visitor.id"),
    ("url", "request.url"),
    ("path", "request.path"),
    ("host", "request.host"),
    ("query", "request.search"),
    ("utmSource", "request.utm.source"),
    ("utmMedium", "request.utm.medium"),
    ("utmCampaign", "request.utm.campaign"),
    ("utmTerm", "request.utm.term"),
    ("utmContent", "request.utm.content"),
    ("referrer", "request.referrer"),
];

/// Where everything else is.
const OTHERS: &str = "profile.traits";

/// A path that leads nowhere.
const NOTHING: &str = "request.nothing";

/// Which attribute is at which path.
#[derive(Clone, Debug)]
pub struct Attributes {
    paths: BTreeMap<String, String>,
}

impl Default for Attributes {
    /// The visitor's id and the page are the decision's own; everything else is a trait.
    fn default() -> Self {
        let paths = OWN
            .iter()
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()));
        Self {
            paths: paths.collect(),
        }
    }
}

impl Attributes {
    /// All attributes are traits, also the visitor's id and the page.
    pub const fn traits() -> Self {
        Self {
            paths: BTreeMap::new(),
        }
    }

    /// Puts an attribute at a path.
    pub fn map(&mut self, name: &str, path: &str) {
        self.paths.insert(name.to_owned(), path.to_owned());
    }

    /// The path of an attribute, which may be one within another: `company.plan`. `None` for a name that no
    /// path can have.
    pub(super) fn path(&self, name: &str) -> Option<String> {
        let is_path = name.split('.').all(|part| !part.is_empty()) && name.split('.').count() <= 24;
        if !is_path {
            return None;
        }
        if let Some(path) = self.paths.get(name) {
            return Some(path.clone());
        }
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match self.paths.get(first) {
            Some(path) => Some(format!("{path}.{rest}")),
            None => Some(format!("{OTHERS}.{name}")),
        }
    }

    /// The path of an attribute, or one that leads nowhere.
    pub(super) fn path_or_nothing(&self, name: &str) -> String {
        self.path(name).unwrap_or_else(|| NOTHING.to_owned())
    }
}
