//! `nearside replay`: folds a log of events and prints what is decided after each.

use super::explanation;
use super::manifest_file;
use super::{Failure, complain};
use nearside_engine::compile::compile;
use nearside_engine::event::EventKind;
use nearside_engine::replay::{LoggedEvent, Replay, brute_force};
use nearside_engine::time::{Timestamp, parse_timestamp};
use nearside_engine::value::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The longest line of a log, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// The arguments of `nearside replay`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What is to be decided
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Take events after this instant as happening at it
    #[arg(long, value_name = "RFC3339", value_parser = instant)]
    now: Option<Timestamp>,
    /// Decide from the whole log instead of folded state
    #[arg(long, conflicts_with = "explain")]
    brute_force: bool,
    /// Say why: in words, or as data in each line's `explanation`
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    explain: Option<Explain>,
    /// The log: one JSON event a line, of any number of visitors; `-` for standard input
    #[arg(value_name = "EVENTS.jsonl")]
    events: PathBuf,
}

/// How decisions are explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Explain {
    /// In words, for a person.
    Text,
    /// As a member of each line.
    Json,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    parse_timestamp(text).ok_or_else(|| "give an instant such as 2026-11-21T10:00:00Z".to_owned())
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let (program, warnings) = compile(&manifest_file::read(&self.manifest)?);
        for warning in &warnings {
            complain(warning);
        }
        let mut log = Log {
            lines: self.open()?,
            now: self.now,
            line: 0,
            mistakes: 0,
        };
        let mut output = BufWriter::new(io::stdout().lock());
        if self.brute_force {
            let mut all = Vec::new();
            while let Some(logged) = log.next_event()? {
                all.push(logged);
            }
            for decided in brute_force(&program, &all) {
                write_line(&mut output, &decided)?;
            }
        } else {
            let mut replay = Replay::new(&program);
            while let Some(logged) = log.next_event()? {
                match self.explain {
                    None => write_line(&mut output, &replay.step(&logged))?,
                    Some(Explain::Json) => write_line(&mut output, &replay.step_explained(&logged))?,
                    Some(Explain::Text) => {
                        let event = &logged.event;
                        let summary = match (event.kind, event.name.as_str()) {
                            (EventKind::Page, _) => format!("saw {}", logged.request.path()),
                            (kind, "") => format!("sent {}", kind.name()),
                            (_, name) => format!("did \"{name}\""),
                        };
                        let line = replay.step_explained(&logged);
                        output.write_all(explanation::text(&line, &summary).as_bytes())?;
                    }
                }
            }
        }
        output.flush()?;
        Ok(if log.mistakes == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn open(&self) -> Result<Box<dyn BufRead>, Failure> {
        if self.events.as_os_str() == "-" {
            return Ok(Box::new(BufReader::new(io::stdin())));
        }
        match File::open(&self.events) {
            Ok(file) => Ok(Box::new(BufReader::new(file))),
            Err(error) => Err(Failure::new(format!(
                "cannot read {}: {error}",
                self.events.display()
            ))),
        }
    }
}

fn write_line(output: &mut impl Write, decided: &Value) -> Result<(), Failure> {
    serde_json::to_writer(&mut *output, decided).map_err(io::Error::from)?;
    output.write_all(b"\n")?;
    Ok(())
}

/// The events of a log. A line that is none is named on standard error, and the next one is read.
struct Log {
    lines: Box<dyn BufRead>,
    now: Option<Timestamp>,
    line: usize,
    mistakes: usize,
}

impl Log {
    fn next_event(&mut self) -> Result<Option<LoggedEvent>, Failure> {
        while let Some(text) = self.next_line()? {
            if text.trim_ascii().is_empty() {
                continue;
            }
            match read_event(self.line, &text, self.now) {
                Ok(logged) => return Ok(Some(logged)),
                Err(message) => {
                    self.mistakes += 1;
                    complain(&format_args!("line {}: {message}", self.line));
                }
            }
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut text = Vec::new();
        let unreadable = |error: io::Error| Failure::new(format!("cannot read the log: {error}"));
        let length = (&mut self.lines)
            .take(MAX_LINE)
            .read_until(b'\n', &mut text)
            .map_err(unreadable)?;
        if length == 0 {
            return Ok(None);
        }
        self.line += 1;
        if length as u64 == MAX_LINE && !text.ends_with(b"\n") {
            // The rest of it is passed over, so that the numbers of the lines after it stay right.
            skip_line(&mut self.lines).map_err(unreadable)?;
        }
        Ok(Some(text))
    }
}

fn skip_line(lines: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = lines.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                lines.consume(end + 1);
                return Ok(());
            }
            None => {
                let length = buffer.len();
                lines.consume(length);
            }
        }
    }
}

fn read_event(line: usize, text: &[u8], now: Option<Timestamp>) -> Result<LoggedEvent, String> {
    if text.len() as u64 == MAX_LINE && !text.ends_with(b"\n") {
        return Err(format!("longer than {MAX_LINE} bytes"));
    }
    let message: Value = serde_json::from_slice(text).map_err(|error| {
        // The parser sees one line, so that the column alone says where.
        format!("not JSON, at column {}: {error}", error.column())
    })?;
    LoggedEvent::read(line, &message, now).map_err(|error| error.to_string())
}
