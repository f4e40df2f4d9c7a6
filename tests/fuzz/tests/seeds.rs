//! Every target holds for each of its seeds.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]
#![expect(
    clippy::print_stdout,
    reason = "of a test that fails it is shown: which seed it was"
)]

use nearside_fuzz::{TARGETS, Target, seeds, target};
use std::collections::BTreeSet;
use std::fs;

/// Most of what is made anew must be taken, or the target would try nothing but refusals.
fn check(name: &str) {
    let target = target(name).unwrap();
    let committed = seeds::committed(target).unwrap();
    assert!(committed.len() >= 5, "{name} has {} seeds", committed.len());
    let mut taken = 0;
    for (file, seed) in &committed {
        println!("seeds/{name}/{file}");
        taken += usize::from((target.run)(seed));
    }
    let made = seeds::made(target).unwrap();
    for (index, seed) in made.iter().enumerate() {
        println!("made seed {index} of {name}");
        assert!((target.run)(seed), "made seed {index} of {name} is refused");
    }
    let all = committed.len() + made.len();
    assert!(
        (taken + made.len()) * 3 >= all,
        "{name} refuses most of its seeds: {taken} of {} are taken",
        committed.len()
    );
    cut_and_changed(target, &committed);
}

/// The seeds, cut and changed a little: what a fuzzer tries first, for those who run none.
fn cut_and_changed(target: &Target, seeds: &[(String, Vec<u8>)]) {
    for (file, seed) in seeds {
        println!("seeds/{}/{file}, changed", target.name);
        let step = 1 + seed.len() / 12;
        for at in (0..seed.len()).step_by(step) {
            (target.run)(&seed[..at]);
            (target.run)(&seed[at..]);
            let mut changed = seed.clone();
            changed[at] ^= 1 << (at % 8);
            (target.run)(&changed);
        }
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_tested() {
            let tested = BTreeSet::from([$(stringify!($name)),*]);
            assert_eq!(tested, TARGETS.iter().map(|target| target.name).collect());
        }
    };
}

targets! { manifest program state event condition regex journal wire address template splice }

#[test]
fn seeds_are_few_and_small() {
    let mut total = 0;
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(seeds::folder()).unwrap() {
        folders.insert(entry.unwrap().file_name().into_string().unwrap());
    }
    assert_eq!(
        folders,
        TARGETS.iter().map(|target| target.name.to_owned()).collect()
    );
    for target in &TARGETS {
        let seeds = seeds::committed(target).unwrap();
        assert!(seeds.len() <= 80, "{} has {} seeds", target.name, seeds.len());
        for (file, seed) in &seeds {
            assert!(
                seed.len() <= target.longest,
                "{file} is longer than the fuzzer's inputs"
            );
            total += seed.len();
        }
    }
    assert!(total < 300_000, "{total} bytes of seeds");
}
