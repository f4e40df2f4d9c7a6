//! The tests of programs that no compiler has made; those of the dialect are in `engine/tests/regex.rs`.

use super::program::{Assertion, Instruction};
use super::reach::Reach;
use super::{MAX_INSTRUCTIONS, MAX_RANGES, Regex};

fn program(code: &[Instruction]) -> Regex {
    Regex {
        code: code.iter().map(|instruction| instruction.pack()).collect(),
        classes: vec![vec![(0x61, 0x7a)]],
        first: None,
        from_start: false,
        reach: Reach::default(),
    }
}

#[test]
fn an_instruction_is_what_its_word_says() {
    for instruction in [
        Instruction::Match,
        Instruction::Character(0),
        Instruction::Character(0x10_ffff),
        Instruction::Class(1_999),
        Instruction::Split(1_999),
        Instruction::Jump(0),
        Instruction::Assert(Assertion::Start),
        Instruction::Assert(Assertion::End),
        Instruction::Assert(Assertion::WordEdge),
        Instruction::Assert(Assertion::NoWordEdge),
    ] {
        assert_eq!(Instruction::unpack(instruction.pack()), instruction);
    }
}

#[test]
fn a_program_that_the_compiler_could_not_have_made_is_found() {
    assert!(program(&[Instruction::Class(0), Instruction::Match]).check());
    for code in [
        &[][..],
        &[Instruction::Character(0x61)],
        &[Instruction::Match, Instruction::Jump(0)],
        &[Instruction::Class(1), Instruction::Match],
        &[Instruction::Split(2), Instruction::Match],
        &[Instruction::Jump(u16::MAX), Instruction::Match],
        &[Instruction::Character(0xd800), Instruction::Match],
        &[Instruction::Character(0x11_0000), Instruction::Match],
        &[Instruction::Match; MAX_INSTRUCTIONS + 1],
    ] {
        assert!(!program(code).check(), "{code:?}");
    }
    let good = program(&[Instruction::Class(0), Instruction::Match]);
    for classes in [
        vec![vec![(0x7a, 0x61)]],
        vec![vec![(0x61, 0x7a), (0x70, 0x80)]],
        vec![vec![(0x61, 0x11_0000)]],
        vec![vec![(0x61, 0x7a)]; MAX_RANGES + 1],
        vec![(0..=MAX_RANGES as u32).map(|at| (at * 2, at * 2)).collect()],
    ] {
        let bad = Regex {
            classes,
            ..good.clone()
        };
        assert!(!bad.check());
    }
    let bad = Regex {
        first: Some(1),
        ..good.clone()
    };
    assert!(!bad.check());
    // Words that are no instruction, or none that is written so.
    for word in [6, 7, 8, u32::MAX, 5 | 4 << 3, 2 | 0x1_0000 << 3, u32::MAX - 7] {
        let bad = Regex {
            code: vec![word, Instruction::Match.pack()],
            ..good.clone()
        };
        assert!(!bad.check(), "{word:#x}");
    }
}

/// SplitMix64's mixing step: numbers that look random, and are the same each time.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[test]
fn no_program_at_all_panics_or_hangs() {
    const TEXTS: [&str; 6] = ["", "a", "b", "ba", "aab", "abab b"];
    let text = "aba ".repeat(1_200);
    let mut found = 0;
    for seed in 0..20_000_u64 {
        let number = |at: u64| mixed(seed * 1_000 + at + 1);
        let length = number(0) % 12;
        let mut regex = Regex {
            // Small operands, so that many of the jumps go somewhere; and words of any kind.
            code: (0..length)
                .map(|at| {
                    let word = number(10 + at);
                    match word % 6 {
                        4 => 5 | ((word >> 8) as u32 % 3) << 3,
                        5 => 0,
                        0 => (word >> 8) as u32,
                        1 => 3 | ((word >> 8) as u32 % 12) << 3,
                        2 => 4 | ((word >> 8) as u32 % 12) << 3,
                        _ => 1 | (0x61 + (word >> 8) as u32 % 2) << 3,
                    }
                })
                .collect(),
            classes: vec![vec![(number(1) as u32, number(2) as u32); number(3) as usize % 3]],
            first: (number(4) % 2 == 0).then_some(number(5) as u16 % 2),
            from_start: number(6) % 2 == 0,
            reach: Reach::default(),
        };
        let _ = regex.check();
        // The walk of a short program finds what the walk of any program finds.
        let expected = TEXTS.map(|text| regex.is_match(text));
        let expected_of_long = regex.is_match(&text);
        regex.prepare();
        assert_eq!(TEXTS.map(|text| regex.is_match(text)), expected, "{regex:?}");
        assert_eq!(regex.is_match(&text), expected_of_long, "{regex:?}");
        found += usize::from(regex.walk_short("ba") == Some(true));
    }
    assert!((1_000..19_000).contains(&found), "{found}");
    // Loops that take nothing, and a program that is longer than the machine has bits.
    assert!(!program(&[Instruction::Jump(0)]).is_match(&text));
    assert!(!program(&[Instruction::Split(0), Instruction::Jump(0)]).is_match(&text));
    let _ = program(&vec![Instruction::Split(60_000); 60_000]).is_match(&text);
    let _ = program(&[]).is_match(&text);
}
