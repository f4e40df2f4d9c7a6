//! The targets by name.

mod address;
mod condition;
mod event;
mod journal;
mod manifest;
mod program;
mod regex;
mod splice;
mod state;
mod template;
mod wire;

pub use program::bytes_of as program_bytes_of;

/// What one parser and all that is done with its result must hold for any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder of seeds.
    pub name: &'static str,
    /// The longest input that the fuzzer makes.
    pub longest: usize,
    /// Panics where something is wrong; false if the bytes were refused at once.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    Target {
        name: "manifest",
        longest: 8_192,
        run: manifest::run,
    },
    Target {
        name: "program",
        longest: 4_096,
        run: program::run,
    },
    Target {
        name: "state",
        longest: 4_096,
        run: state::run,
    },
    Target {
        name: "event",
        longest: 8_192,
        run: event::run,
    },
    Target {
        name: "condition",
        longest: 4_096,
        run: condition::run,
    },
    Target {
        name: "regex",
        longest: 4_096,
        run: regex::run,
    },
    Target {
        name: "journal",
        longest: 2_048,
        run: journal::run,
    },
    Target {
        name: "wire",
        longest: 4_096,
        run: wire::run,
    },
    Target {
        name: "address",
        longest: 8_192,
        run: address::run,
    },
    Target {
        name: "template",
        longest: 4_096,
        run: template::run,
    },
    Target {
        name: "splice",
        longest: 2_048,
        run: splice::run,
    },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
