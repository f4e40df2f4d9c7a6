//! The worker's configuration: variables and secrets of `wrangler.toml`.

use crate::seal::Keys;
use std::cell::OnceCell;
use std::rc::Rc;
use worker::Env;

/// How often the program is looked for anew, unless configured, in milliseconds.
const REFRESH: i64 = 30_000;
/// How old a snapshot may get before a newer one is asked for, unless configured, in milliseconds.
const SNAPSHOT_AGE: i64 = 60_000;
/// How much of the isolate's memory pages may take, unless configured; an isolate has 128 megabytes for everything.
const CACHE_MEGABYTES: usize = 24;

/// The configuration.
pub(crate) struct Config {
    /// The site, without a slash at its end.
    pub(crate) upstream: Option<String>,
    /// The origin service, without a slash at its end.
    pub(crate) origin: Option<String>,
    /// What the edge proves itself with at the origin.
    pub(crate) edge_secret: Option<String>,
    /// The keys of the state cookie.
    pub(crate) keys: Keys,
    /// The header with the visitor's country, where the runtime does not know it.
    pub(crate) country_header: Option<String>,
    /// How often the program is looked for anew, in milliseconds.
    pub(crate) refresh: i64,
    /// How old a snapshot may get, in milliseconds.
    pub(crate) snapshot_age: i64,
    /// How many bytes of the isolate's memory pages and their plans may take; 0: none are kept.
    pub(crate) cache_bytes: usize,
}

thread_local! {
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

impl Config {
    /// The isolate's configuration: a worker's variables stay the same as long as it lives.
    pub(crate) fn of_isolate(env: &Env) -> Rc<Self> {
        CONFIG.with(|config| Rc::clone(config.get_or_init(|| Rc::new(Self::from_env(env)))))
    }

    fn from_env(env: &Env) -> Self {
        let text = |name: &str| {
            // Secrets and variables are read in the same way.
            let value = env.var(name).ok().map(|value| value.to_string());
            value
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let address = |name: &str| text(name).map(|value| value.trim_end_matches('/').to_owned());
        let seconds = |name: &str, default: i64| {
            text(name)
                .and_then(|value| value.parse::<u32>().ok())
                .map_or(default, |seconds| i64::from(seconds) * 1_000)
        };
        Self {
            upstream: address("NEARSIDE_UPSTREAM"),
            origin: address("NEARSIDE_ORIGIN"),
            edge_secret: text("NEARSIDE_EDGE_SECRET"),
            keys: Keys::parse(&text("NEARSIDE_SEAL_KEYS").unwrap_or_default()),
            country_header: text("NEARSIDE_COUNTRY_HEADER"),
            refresh: seconds("NEARSIDE_REFRESH_SECONDS", REFRESH),
            snapshot_age: seconds("NEARSIDE_SNAPSHOT_SECONDS", SNAPSHOT_AGE),
            cache_bytes: text("NEARSIDE_CACHE_MEGABYTES")
                .and_then(|value| value.parse::<u8>().ok())
                .map_or(CACHE_MEGABYTES, usize::from)
                * 1024
                * 1024,
        }
    }
}
