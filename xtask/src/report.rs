//! What xtask says to the person before the screen.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Prints a line. A closed output is no reason to stop: what runs goes on.
pub fn say(line: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", line.as_ref());
    let _ = out.flush();
}

/// A duration as people say it: `850 ms`, `12 s`, `3 min 05 s`.
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=59 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// A long step: says what starts, shows that it goes on, and says how long it took.
///
/// On a terminal the running time is shown in place. Elsewhere (a log of a CI run) a line comes
/// every half minute.
#[must_use = "a step that is dropped at once reports nothing"]
pub struct Step {
    what: String,
    started: Instant,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Step {
    /// Says that `what` starts; `expected` is what to expect, such as `about 2 min`.
    pub fn start(what: impl Into<String>, expected: &str) -> Self {
        let what = what.into();
        say(format!("{what} ({expected})…"));
        let (stop, stopped) = mpsc::channel();
        let started = Instant::now();
        let label = what.clone();
        let ticker = std::thread::spawn(move || tick(&label, started, &stopped));
        Self {
            what,
            started,
            ticker: Some((stop, ticker)),
        }
    }

    /// Says that the step is done and how long it took.
    pub fn done(mut self) {
        self.stop();
        say(format!(
            "{}: done in {}",
            self.what,
            spoken(self.started.elapsed())
        ));
    }

    fn stop(&mut self) {
        if let Some((stop, ticker)) = self.ticker.take() {
            drop(stop);
            let _ = ticker.join();
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.stop();
    }
}

fn tick(label: &str, started: Instant, stopped: &mpsc::Receiver<()>) {
    let terminal = io::stdout().is_terminal();
    let pause = Duration::from_secs(if terminal { 1 } else { 30 });
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let elapsed = spoken(started.elapsed());
        if terminal {
            let mut out = io::stdout().lock();
            let _ = write!(out, "\r\x1b[2K  … {elapsed}");
            let _ = out.flush();
        } else {
            say(format!("  … {label}: {elapsed}"));
        }
    }
    if terminal {
        let mut out = io::stdout().lock();
        let _ = write!(out, "\r\x1b[2K");
        let _ = out.flush();
    }
}

/// A table with its columns aligned; the first column to the left, the others to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_with_the_unit_that_fits() {
        let said = |milliseconds| spoken(Duration::from_millis(milliseconds));
        assert_eq!(said(850), "850 ms");
        assert_eq!(said(12_900), "12 s");
        assert_eq!(said(185_000), "3 min 05 s");
    }

    #[test]
    fn a_table_aligns_its_columns() {
        let rows = [vec!["name".into(), "ms".into()], vec!["a".into(), "1,000".into()]];
        assert_eq!(table(&rows), "name     ms\na     1,000\n");
    }
}
