//! What a process uses, as Linux counts it.

use std::fs;
use std::time::Duration;

/// The kernel counts in hundredths of a second, whatever the machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The time that all threads of a process, ended ones included, have computed so far: for themselves and in the
/// kernel.
///
/// # Panics
/// When there is no such process.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The program's name may hold anything; after its bracket the third field comes.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |field: usize| -> u32 { fields.get(field - 3).and_then(|text| text.parse().ok()).unwrap() };
    TICK * (ticks(14) + ticks(15))
}

/// The memory that a process holds, in bytes.
///
/// # Panics
/// When there is no such process.
pub fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).unwrap();
    kilobytes.trim().parse::<u64>().unwrap() * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_uses_time_and_memory() {
        let own = std::process::id();
        let before = cpu(own);
        let mut sum = 0_u64;
        while cpu(own) == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(memory(own) > 500_000);
    }
}
