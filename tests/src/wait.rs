//! Waits for conditions, never for seconds.

use std::time::{Duration, Instant};

/// The longest that anything is waited for; only a failure takes that long.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until `ready` gives something.
///
/// # Panics
/// When it does not within a minute.
#[track_caller]
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(
            started.elapsed() < LIMIT,
            "this did not happen within {LIMIT:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
