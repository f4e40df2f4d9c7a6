//! The targets under libFuzzer: `NEARSIDE_FUZZ` names the one to run. `cargo xtask fuzz` starts it.

#![no_main]
#![expect(clippy::panic, reason = "a run without a target has nothing to do")]

use libfuzzer_sys::{Corpus, fuzz_target};
use nearside_fuzz::Target;
use std::sync::OnceLock;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("NEARSIDE_FUZZ").unwrap_or_default();
        nearside_fuzz::target(&name).unwrap_or_else(|| {
            let names: Vec<&str> = nearside_fuzz::TARGETS.iter().map(|target| target.name).collect();
            panic!("NEARSIDE_FUZZ names no target: give one of {}", names.join(", "))
        })
    })
}

fuzz_target!(|data: &[u8]| -> Corpus {
    // An input that is refused at the door is not worth keeping.
    let target = target();
    if data.len() <= target.longest && (target.run)(data) {
        Corpus::Keep
    } else {
        Corpus::Reject
    }
});
